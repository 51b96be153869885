"""The revisions; `libs.storage.postgres.migration.HEAD` names the last."""
