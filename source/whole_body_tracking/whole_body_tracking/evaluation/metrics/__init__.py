"""What an evaluation measures: functions of recordings, without a simulator."""
