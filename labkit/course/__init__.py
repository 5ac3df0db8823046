"""The course: exercises as records, their checks, what a learner has done. Nothing here knows Jupyter.

    from labkit.course import Attempt, load_exercise, open_progress

    exercise = load_exercise("first-image")      # or "first-image@1": an older revision; CourseError if there is none
    attempt = Attempt(exercise, learner="demo", seed="")    # both may be left out: then progress.current() says

    attempt.slug, .title, .kind, .points, .revision, .lesson
    attempt.task                      # Markdown, with this learner's values
    attempt.form                      # a JSON-able dict: how an answer is given
        # {"type": "terminal"}                                                  do, repair
        # {"type": "text", "label": …, "placeholder": …}                        predict, explain, compose
        # {"type": "choice", "options": [{"value": "a", "text": …}, …]}         choose (and predict with options)
        # {"type": "order", "options": [{"value": line, "text": line}, …]}      order: answer = the values in order
        # {"type": "marks", "items": [{"value": …, "text": …}, …], "options": [{"value": …, "text": …}, …]}
        #                                                                       mark: answer = {item: option}, values
    attempt.machine                   # a labkit.Machine as the exercise starts from; do and repair: the learner's own
    attempt.goal                      # a Machine that the first solution was played on (None: no such)
    attempt.run("docker ps")          # .returncode .stdout .stderr; recorded as part of the answer (do, repair)
    attempt.write_file(path, text)    # what an editor saves; recorded too
    attempt.prompt, attempt.folder    # of the terminal: what it shows before the cursor, and where it is
    attempt.undo(); attempt.reset()   # the last input, or all of them, never happened
    attempt.answer                    # do, repair: the inputs so far; else what was last given to check(), or None
    attempt.hints                     # from small to large
    attempt.solution                  # the first right answer, as text; attempt.solutions: all routes [(name, text), …]

    judgement = attempt.check()                # do, repair: what was run so far
    judgement = attempt.check(answer)          # the others; do and repair take a script (text) or a list of inputs too
    judgement.passed, .points, .of             # earned and possible points
    judgement.results                          # (ok, text, difference) for each check, in order
    judgement.mistake, .reply                  # the named mistake that this is, and what to say to it (else None)
    judgement.error                            # why the answer could not be read at all (else None)
    attempt.reached, attempt.printed           # the machine that it led to; what a predicted command prints
    attempt.so_far()                           # do, repair: what holds now, unchecked
    judgement.text                             # all of it as plain text; judgement.to_dict() as JSON

    progress = open_progress()                 # reads $LABKIT_HOME/progress.json, or where the rules say
    progress.record(attempt, judgement)        # remembers the answer and writes the file
    progress.keep(attempt, draft, hints=1)     # remembers what is not yet checked, and writes the file
    progress.entry("first-image")              # {"answer": …, "passed": …, "tries": …, "revision": …} or None
    progress.draft("first-image", 1, "demo")   # {"answer": …, "hints": …} or None
    progress.export() -> str; progress.merge(text)    # the small file to take along; bad input: ProgressError

A text answer (as a `%%answer` cell has it) is good for every kind: commands for do, repair and explain; a flag for
compose; the option's letter for choose; the lines in their order for order; `item: label` a line for mark.
"""

from __future__ import annotations

from labkit.course.checks import CheckResult
from labkit.course.exercises import CourseError, load_all, load_exercise, slugs
from labkit.course.judge import Judgement, judge
from labkit.course.progress import Progress, ProgressError, open_progress
from labkit.course.record import Exercise
from labkit.course.session import Attempt

__all__ = [
    "Attempt",
    "CheckResult",
    "CourseError",
    "Exercise",
    "Judgement",
    "Progress",
    "ProgressError",
    "judge",
    "load_all",
    "load_exercise",
    "open_progress",
    "slugs",
]
