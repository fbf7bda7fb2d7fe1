"""Invented names and addresses for the demo's households: the data has none. The same household always gets the same.

E-mail addresses end in example.com and towns do not exist, so that nothing sent by mistake can reach anybody.
"""

import random
from dataclasses import dataclass

from rondo.foundation.search import fold

GIVEN = (
    "Ada Agnes Alan Alma Amir Anna Arthur Aylin Bela Bernd Bianca Bruno Carla Carol Cedric Chiara Clara Conrad Dana "
    "Daniel David Dora Edgar Elena Elias Ella Emil Emma Erik Esther Eva Fatima Felix Fiona Frank Frieda Georg Gina "
    "Grace Greta Hana Hannah Harald Hugo Ida Ilse Imran Ines Ingrid Irene Ivan Jamal Jana Jasper Joan Jonas Judith "
    "Julia Karim Karl Kira Lars Laura Leila Lena Leo Lewis Linda Lotte Louis Lucy Luis Mara Marco Maria Martha Max "
    "Mia Milo Mina Mona Nadia Nils Nina Noah Nora Olga Omar Oscar Otto Paula Peter Petra Philip Pia Priya Quentin "
    "Rafael Rita Rob Rosa Ruth Salma Samuel Sara Simon Sofia Stella Sven Tara Theo Thomas Tilda Tom Uma Ursula Vera "
    "Victor Viola Walter Wanda Willa Yara Yusuf Zoe"
).split()
FAMILY = (
    "Abbott Adler Albers Almeida Andersen Arnold Bachmann Baker Barnes Bauer Becker Bellini Berger Bishop Blake "
    "Blum Bonnet Brandt Brooks Brown Burke Carter Castro Chandler Chen Clark Coleman Conti Cooper Costa Cruz Dahl "
    "Daniels Dawson Diaz Dietrich Dixon Dubois Duncan Eberhardt Ellis Engel Esposito Evans Farmer Fernandez Ferrari "
    "Fischer Fletcher Flores Foster Fox Franke Fuchs Garcia Gardner Gibson Gomez Graf Grant Greco Green Gupta Haas "
    "Haddad Hansen Harper Hartmann Hayes Heller Henry Herrera Hill Hoffman Horvat Hughes Hunter Ito Ivanov Jackson "
    "Jansen Jensen Johnson Jung Kaiser Kaplan Keller Kelly Khan Kim Klein Koch Kowalski Kraft Kramer Lambert Lang "
    "Larsen Lee Lehmann Leone Lewis Lindner Lopez Lorenz Ludwig Maier Marino Marsh Martin Mason Mayer Mendes Meyer "
    "Miller Mills Moreau Morgan Moser Murphy Nagy Nakamura Nelson Neumann Newman Nielsen Novak Olsen Ortiz Osborne "
    "Otto Palmer Park Parker Patel Pereira Perry Petersen Petrov Pfeiffer Pohl Porter Quinn Ramos Reed Reyes "
    "Richter Rivera Roberts Rossi Roth Russell Ryan Sanders Santos Sato Schmidt Schneider Schreiber Scott Seidel "
    "Shah Shaw Silva Singh Smith Sommer Stein Stone Suzuki Tanaka Taylor Thomas Torres Turner Ullrich Unger Vargas "
    "Vogel Wagner Walker Wallace Walsh Weber Weiss Werner White Wilson Winter Wolf Wong Wright Yamada Young Zhang "
    "Ziegler Zimmer"
).split()
STREETS = (
    "Orchard Lane|Mill Road|Station Street|Garden Way|Harbour Street|Linden Avenue|School Lane|Meadow Road|"
    "Lake Street|Bridge Street|Church Walk|Market Street|River Road|Hill Street|"
    "Park Avenue|Chestnut Lane|Quarry Road|Willow Way"
).split("|")
TOWNS = (
    ("Rondale", "00101"),
    ("Newbrook Falls", "00117"),
    ("East Merton", "00123"),
    ("Coldwell", "00139"),
    ("Harrow Springs", "00144"),
    ("Lindenport", "00158"),
    ("Old Quarry", "00162"),
    ("Saint Orme", "00175"),
)


@dataclass(frozen=True)
class Invented:
    """What the demo makes up about one household."""

    name: str
    given_name: str
    family_name: str
    email: str
    card: str
    street: str
    postal_code: str
    city: str


def invent(household: int) -> Invented:
    """The invented identity of a household, the same on every machine and run."""
    chance = random.Random(f"rondo demo household {household}")
    given, family = chance.choice(GIVEN), chance.choice(FAMILY)
    town, code = chance.choice(TOWNS)
    return Invented(
        name=f"{given} {family} household",
        given_name=given,
        family_name=family,
        email=f"{fold(given)}.{fold(family)}.{household}@example.com",
        card=f"7781{household:08d}",
        street=f"{chance.randint(1, 240)} {chance.choice(STREETS)}",
        postal_code=code,
        city=town,
    )
