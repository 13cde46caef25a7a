"""`make demo`: the main job on real papers, through the HTTP API of a really running server.

Each step is one function that does something as one of the people, proves what came of it and tells it in one line.
What is not as it should be ends the demo with exit code 1 and says what was expected. The order of
the steps is `story.STEPS`.
"""
