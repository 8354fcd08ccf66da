"""Courses that somebody clicks on a page, or that are written as one."""
