"""The tables of the log as Alembic makes them, one revision after the other."""
