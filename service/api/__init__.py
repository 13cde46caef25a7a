"""The JSON API: thin routes, one module a noun. A route parses, makes one use-case call and answers."""
