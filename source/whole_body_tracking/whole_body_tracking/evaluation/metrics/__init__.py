"""Metrics of an evaluation: functions of recordings, without a simulator."""
