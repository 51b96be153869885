"""The revisions; `libs.storage.postgres.migration.LOG` names the last."""
