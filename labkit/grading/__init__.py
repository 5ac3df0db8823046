"""Submissions in, results and reports out. Answers are data, played on fresh machines; nothing they claim counts."""
