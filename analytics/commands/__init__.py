"""Commands whose options and bodies need a module of their own; `analytics/__main__.py` puts them together."""
