"""Looking at files that people send: is this what it claims to be, and can it be read?

Whatever parses foreign bytes does so in a process of its own that can do nothing but compute (`probe` in a `sandbox`);
the service only feeds it and reads one word back (`examine`). Plaintext goes through pipes, never to a disk. Nothing
here imports keys, database or log.
"""
