"""What recap keeps: one module a table, in SQLite or in PostgreSQL alike (SQLAlchemy Core)."""
