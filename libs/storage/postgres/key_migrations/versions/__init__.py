"""The revisions; `libs.storage.postgres.migration.KEYS` names the last."""
