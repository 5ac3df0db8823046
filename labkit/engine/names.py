"""Names of containers: which are allowed, and those that a container without one gets (an adjective and a surname)."""

from __future__ import annotations

import re
from collections.abc import Container as Holder

from labkit.engine.errors import invalid

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_ADJECTIVES = ["admiring", "agitated", "amazing", "awesome", "beautiful", "blissful", "bold", "brave", "busy", "charming", "clever", "compassionate", "confident", "cool", "cranky", "dazzling", "determined", "dreamy", "eager", "ecstatic", "elastic", "elated", "elegant", "eloquent", "epic", "exciting", "fervent", "festive", "flamboyant", "focused", "friendly", "frosty", "funny", "gallant", "gifted", "goofy", "gracious", "great", "happy", "hardcore", "heuristic", "hopeful", "hungry", "infallible", "inspiring", "intelligent", "interesting", "jolly", "jovial", "keen", "kind", "laughing", "loving", "lucid", "magical", "modest", "musing", "mystifying", "naughty", "nervous", "nice", "nifty", "nostalgic", "objective", "optimistic", "peaceful", "pedantic", "pensive", "practical", "priceless", "quirky", "quizzical", "recursing", "relaxed", "reverent", "romantic", "sad", "serene", "sharp", "silly", "sleepy", "stoic", "strange", "stupefied", "suspicious", "sweet", "tender", "thirsty", "trusting", "unruffled", "upbeat", "vibrant", "vigilant", "vigorous", "wizardly", "wonderful", "xenodochial", "youthful", "zealous", "zen"]
_SURNAMES = ["agnesi", "allen", "archimedes", "babbage", "banach", "bardeen", "bartik", "bell", "benz", "blackwell", "bohr", "booth", "borg", "bose", "brahmagupta", "carson", "cerf", "chandrasekhar", "chaplygin", "clarke", "colden", "cori", "cray", "curie", "curran", "darwin", "davinci", "dijkstra", "dirac", "driscoll", "easley", "edison", "einstein", "elion", "engelbart", "euclid", "euler", "fermat", "fermi", "feynman", "franklin", "galileo", "galois", "gates", "gauss", "goldberg", "goldstine", "goodall", "hamilton", "haslett", "hawking", "heisenberg", "hermann", "heyrovsky", "hodgkin", "hoover", "hopper", "hugle", "hypatia", "jackson", "jang", "jepsen", "johnson", "joliot", "jones", "kalam", "kare", "keller", "kepler", "khorana", "kilby", "kirch", "knuth", "lamarr", "lamport", "leakey", "leavitt", "lewin", "liskov", "lovelace", "lumiere", "mahavira", "mayer", "mccarthy", "mcclintock", "mclean", "mcnulty", "meitner", "mendel", "mestorf", "mirzakhani", "morse", "napier", "nash", "neumann", "newton", "nightingale", "nobel", "noether", "northcutt", "noyce", "panini", "pare", "pascal", "pasteur", "payne", "perlman", "pike", "poincare", "poitras", "ptolemy", "raman", "ramanujan", "ride", "ritchie", "roentgen", "rosalind", "saha", "sammet", "shannon", "shaw", "shockley", "sinoussi", "snyder", "spence", "stallman", "swanson", "swartz", "swirles", "tesla", "thompson", "torvalds", "turing", "varahamihira", "villani", "visvesvaraya", "volhard", "wescoff", "wiles", "williams", "wilson", "wing", "wozniak", "wright", "yalow", "yonath"]


def check(name: str) -> None:
    """Raise the daemon's complaint about a name, which may start with a slash."""
    if not _NAME.fullmatch(name.removeprefix("/")):
        raise invalid(f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")


def generate(identifier: str, taken: Holder[str]) -> str:
    """A free name that follows from the container's id."""
    number = int(identifier[:16], 16)
    while True:
        number, first = divmod(number, len(_ADJECTIVES))
        _, second = divmod(number, len(_SURNAMES))
        name = f"{_ADJECTIVES[first]}_{_SURNAMES[second]}"
        if name not in taken and name != "boring_wozniak":
            return name
        number = number * 31 + 7
