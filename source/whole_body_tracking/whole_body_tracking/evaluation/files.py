"""Tables and JSON on disk."""

from whole_body_tracking.files import write_json, write_table

__all__ = ["write_json", "write_table"]
