"""The tables of recap know each other by this."""

from typing import Final

from sqlalchemy import MetaData

METADATA: Final = MetaData()
