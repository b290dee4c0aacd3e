"""Measures, each a module with `main(arguments)`: `bin/sideline bench NAME`."""
