"""Word lists of the invented catalogue; what a title is about decides which words it gets."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class GenreWords:
    """How one genre speaks; `maturity_years` are the limits its titles are drawn from."""

    name: str
    share: float
    maturity_years: tuple[int, ...]
    adjectives: tuple[str, ...]
    nouns: tuple[str, ...]
    heroes: tuple[str, ...]
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagWords:
    """One tag, the genres that it belongs to, and how a synopsis says it."""

    name: str
    genres: tuple[str, ...]
    phrases: tuple[str, ...]


def _genre(name: str, share: float, maturity: tuple[int, ...], *columns: str) -> GenreWords:
    adjectives, nouns, heroes, conflicts = (
        tuple(part.strip() for part in column.split("|")) for column in columns
    )
    return GenreWords(name, share, maturity, adjectives, nouns, heroes, conflicts)


GENRES: Final = (
    _genre(
        "Action", 0.10, (12, 16, 16, 18),
        "Burning|Relentless|Iron|Final|Armoured|Double",
        "Strike|Convoy|Bullet|Reckoning|Vanguard|Ambush",
        "a discharged commando|a stunt driver|a rivalling bodyguard|a grounded pilot",
        "fights through a siege of mercenaries|races a stolen convoy across the border"
        "|must disarm a chain of explosions|is hunted from rooftop to rooftop",
    ),
    _genre(
        "Adventure", 0.08, (6, 7, 12, 12),
        "Lost|Distant|Golden|Uncharted|Windward|Eleventh",
        "Compass|Expedition|River|Map|Voyage|Summit",
        "a young cartographer|a disgraced explorer|a caravan of strangers|a treasure diver",
        "sets out for an island on no chart|crosses a desert after a drowned city"
        "|follows a map burned in half|climbs to a valley nobody came back from",
    ),
    _genre(
        "Animation", 0.08, (0, 0, 6, 6, 7, 12),
        "Little|Bouncing|Paper|Whistling|Tiny|Painted",
        "Fox|Balloon|Robot|Puddle|Kite|Hedgehog",
        "a clumsy little fox|a lonely toy robot|a snail with a great plan|a paper elephant",
        "learns to fly with borrowed wings|builds a house for everyone in the garden"
        "|looks for the colour that went missing|befriends the storm above the hill",
    ),
    _genre(
        "Comedy", 0.11, (6, 12, 12, 16),
        "Awkward|Borrowed|Accidental|Cheap|Unlikely|Third",
        "Wedding|Neighbours|Holiday|Landlord|Reunion|Audition",
        "a hopeless wedding planner|a flat of four|a failed magician|an overqualified janitor",
        "pretends to run the company for a week|inherits a hotel full of relatives"
        "|loses the bride on the wrong train|turns one small lie into a national campaign",
    ),
    _genre(
        "Crime", 0.08, (12, 16, 16, 18),
        "Crooked|Cold|Dirty|Marked|Quiet|Second",
        "Ledger|Precinct|Alibi|Harbour|Syndicate|Debt",
        "a tired detective|a safe breaker on parole|an honest accountant|a police cadet",
        "follows dirty money to the town hall|is drawn back for one last vault"
        "|wears a wire among old friends|reopens a murder the city forgot",
    ),
    _genre(
        "Documentary", 0.07, (0, 6, 7, 12),
        "Living|Hidden|Measured|Deep|Northern|Ordinary",
        "Archive|Forest|Ocean|Workshop|Century|Harvest",
        "a team of researchers|an island community|an old weaver|a whale census",
        "records a year that changed everything|reopens an archive thought lost"
        "|follows a river from source to sea|shows how a forgotten craft survives",
    ),
    _genre(
        "Drama", 0.13, (7, 12, 12, 16),
        "Broken|Unsent|Slow|Empty|Winter|Inherited",
        "Letters|House|Silence|Season|Orchard|Daughter",
        "an estranged daughter|a retired conductor|a village doctor|a younger brother",
        "comes home to a house nobody would sell|keeps a secret through a long winter"
        "|has to choose between a promise and a child|forgives what was never said",
    ),
    _genre(
        "Family", 0.07, (0, 0, 6, 6, 7),
        "Merry|Magic|Muddy|Sunday|Jolly|Secret",
        "Picnic|Puppy|Treehouse|Sleigh|Grandma|Parade",
        "a runaway puppy|a grandma on roller skates|a school orchestra|a shy new pupil",
        "saves the summer fair|finds a tiny door behind the treehouse"
        "|brings a whole street together|enters the great soapbox race",
    ),
    _genre(
        "Fantasy", 0.06, (6, 7, 12, 16),
        "Ashen|Enchanted|Thorned|Moonlit|Forsworn|Ancient",
        "Crown|Dragon|Oath|Tower|Witch|Kingdom",
        "an apprentice witch|an exiled prince|a knight without a name|a dragon's keeper",
        "bargains with the last dragon|breaks an oath that held the kingdom up"
        "|wakes a forest of old gods|carries a cursed crown to the sea",
    ),
    _genre(
        "Horror", 0.05, (16, 16, 18, 18),
        "Hollow|Bleeding|Pale|Whispering|Buried|Rotten",
        "Cellar|Mirror|Choir|Skin|Asylum|Cradle",
        "a night nurse|a family in a new house|a stranded student|a deaf caretaker",
        "hears breathing under the floor|finds the door that opens only at three"
        "|wakes what the village had buried|is followed home by a choir of the dead",
    ),
    _genre(
        "Mystery", 0.05, (7, 12, 12, 16),
        "Missing|Sealed|Veiled|Twelfth|Curious|Locked",
        "Guest|Cipher|Portrait|Inheritance|Clock|Witness",
        "a retired judge|an amateur sleuth|a museum guard|a crossword setter",
        "finds a body behind a locked door|decodes letters from a vanished guest"
        "|suspects everyone at the long table|proves that the portrait is lying",
    ),
    _genre(
        "Romance", 0.07, (6, 12, 12, 16),
        "Tender|Lantern-lit|Reckless|Faraway|Velvet|June",
        "Kiss|Summer|Promise|Dance|Heart|Letter",
        "a florist|a rival chef|a widowed baker|a shy pilot",
        "falls in love a week before the wedding|writes to a stranger every June"
        "|meets again on the last ferry|mistakes a bet for a proposal",
    ),
    _genre(
        "Science Fiction", 0.08, (7, 12, 12, 16),
        "Orbital|Synthetic|Silent|Binary|Last|Frozen",
        "Colony|Signal|Engine|Horizon|Android|Station",
        "a deep-space salvage crew|an android on trial|a colony botanist|a signal analyst",
        "receives a message sent from tomorrow|wakes from cold sleep a century late"
        "|finds the ship's mind dreaming|terraforms a world that answers back",
    ),
    _genre(
        "Thriller", 0.07, (12, 16, 16, 18),
        "Fatal|Blind|Zero|Silent|Deadly|Narrow",
        "Witness|Protocol|Hostage|Suspect|Exit|Signal",
        "a sleepless negotiator|a whistle-blower|a court interpreter|an insomniac coder",
        "has one night to find the hostage|learns that the witness list is for sale"
        "|trusts the wrong voice on the line|discovers a conspiracy in her own files",
    ),
)  # fmt: skip


def _tag(name: str, genres: str, phrases: str) -> TagWords:
    return TagWords(name, tuple(genres.split("|")), tuple(phrases.split("|")))


TAGS: Final = (
    _tag(
        "heist", "Crime|Action|Thriller", "an impossible heist|a crew planning the perfect robbery"
    ),
    _tag("martial-arts", "Action|Adventure", "martial arts duels|a champion's last kung-fu fight"),
    _tag("car-chase", "Action|Crime", "roaring car chases|getaway drivers at full throttle"),
    _tag("war", "Action|Drama|Documentary", "soldiers on the front line|the cost of war"),
    _tag("espionage", "Thriller|Action", "double agents and dead drops|spies behind enemy lines"),
    _tag(
        "superpowers",
        "Action|Science Fiction|Animation",
        "reluctant superheroes|powers out of control",
    ),
    _tag("treasure", "Adventure|Family", "buried treasure|a hunt for a sunken galleon"),
    _tag("survival", "Adventure|Thriller|Horror", "survival in the wild|castaways without water"),
    _tag("seafaring", "Adventure|Fantasy|Documentary", "tall ships and pirates|a crew lost at sea"),
    _tag(
        "mountains",
        "Adventure|Documentary",
        "thin air on high peaks|mountaineers on the north face",
    ),
    _tag("animals", "Animation|Family|Documentary", "talking animals|the secret life of animals"),
    _tag(
        "friendship", "Animation|Family|Comedy", "an unlikely friendship|friends who stick together"
    ),
    _tag("musical", "Animation|Comedy|Romance", "songs and dance numbers|a band on the road"),
    _tag("stop-motion", "Animation|Fantasy", "hand-made puppets|stop-motion craft"),
    _tag("school", "Family|Comedy|Drama", "the first year at a new school|classroom pranks"),
    _tag("holiday-season", "Family|Romance|Comedy", "a snowed-in holiday|lights, carols and snow"),
    _tag("workplace", "Comedy|Drama", "office politics|the worst boss in town"),
    _tag("satire", "Comedy|Drama|Science Fiction", "biting political satire|a mockery of power"),
    _tag("slapstick", "Comedy|Family|Animation", "slapstick chaos|pratfalls and custard"),
    _tag("road-trip", "Comedy|Drama|Adventure", "a road trip gone wrong|three strangers and a van"),
    _tag("stand-up", "Comedy|Documentary", "a stand-up stage|jokes that cut too deep"),
    _tag("mafia", "Crime|Drama", "feuding mafia families|a godfather's heir"),
    _tag("police-procedural", "Crime|Mystery", "patient police work|forensics and interrogations"),
    _tag("prison", "Crime|Drama|Thriller", "life behind bars|a prison break"),
    _tag("noir", "Crime|Mystery|Thriller", "neon noir streets|a femme fatale in the rain"),
    _tag("true-story", "Documentary|Drama|Crime", "a true story|events that really happened"),
    _tag("nature", "Documentary|Family", "breathtaking wild nature|rainforests and glaciers"),
    _tag("food", "Documentary|Romance|Comedy", "kitchens and their cooks|recipes passed down"),
    _tag("sports", "Documentary|Drama|Family", "the underdog team|a season on the pitch"),
    _tag(
        "history",
        "Documentary|Drama|Adventure",
        "a forgotten chapter of history|empires in decline",
    ),
    _tag(
        "science", "Documentary|Science Fiction", "big questions of science|laboratories at night"
    ),
    _tag("family-saga", "Drama|Romance", "three generations of one family|a family estate divided"),
    _tag("courtroom", "Drama|Crime|Mystery", "a courtroom battle|a jury that cannot agree"),
    _tag("medical", "Drama|Documentary|Horror", "a hospital on the edge|surgeons under pressure"),
    _tag("coming-of-age", "Drama|Comedy|Romance", "growing up too fast|a last summer of youth"),
    _tag(
        "period",
        "Drama|Romance|Mystery",
        "corsets and candlelight|a grand house in an earlier century",
    ),
    _tag("grief", "Drama|Horror", "grief and letting go|learning to mourn"),
    _tag(
        "immigrant",
        "Drama|Comedy|Documentary",
        "starting over in a foreign land|two cultures at one table",
    ),
    _tag("dragons", "Fantasy|Animation|Adventure", "dragons over the keep|dragon riders"),
    _tag("sorcery", "Fantasy|Family", "forbidden sorcery|a school of spells"),
    _tag("quest", "Fantasy|Adventure", "a quest of nine companions|a prophecy fulfilled"),
    _tag("fairy-tale", "Fantasy|Family|Animation", "a fairy tale retold|once upon a time"),
    _tag("court-intrigue", "Fantasy|Drama|Thriller", "intrigue at court|rival heirs to a throne"),
    _tag("vampires", "Horror|Fantasy|Romance", "vampires in the old town|an immortal thirst"),
    _tag("haunted-house", "Horror|Mystery", "a haunted house|ghosts in the walls"),
    _tag("slasher", "Horror|Thriller", "a masked slasher|nobody left to scream"),
    _tag("zombies", "Horror|Action|Comedy", "hordes of the undead|the last safe street"),
    _tag("folk-horror", "Horror|Fantasy", "pagan rites and harvest masks|an old village cult"),
    _tag("whodunit", "Mystery|Comedy|Crime", "a classic whodunit|seven suspects, one killer"),
    _tag("small-town", "Mystery|Drama|Romance", "small-town secrets|a town where everyone knows"),
    _tag(
        "puzzle", "Mystery|Thriller|Science Fiction", "riddles inside riddles|an intricate puzzle"
    ),
    _tag(
        "slow-burn",
        "Romance|Mystery|Drama",
        "a slow-burning attraction|tension that builds quietly",
    ),
    _tag(
        "enemies-to-lovers", "Romance|Comedy", "enemies who become lovers|a feud turned flirtation"
    ),
    _tag("tearjerker", "Romance|Drama", "a heartbreaking farewell|tears at the station"),
    _tag(
        "space",
        "Science Fiction|Adventure|Documentary",
        "starships beyond the rim|life aboard a station",
    ),
    _tag(
        "artificial-mind",
        "Science Fiction|Thriller",
        "a machine that thinks|an artificial mind awakening",
    ),
    _tag("time-travel", "Science Fiction|Romance|Comedy", "loops in time|a journey to the past"),
    _tag(
        "dystopia",
        "Science Fiction|Drama|Action",
        "a ruined dystopian city|rebels against the regime",
    ),
    _tag(
        "conspiracy",
        "Thriller|Mystery|Science Fiction",
        "a conspiracy at the top|files that were never meant to be read",
    ),
    _tag("revenge", "Thriller|Action|Horror", "a long-planned revenge|payback without mercy"),
)


def _words(spaced: str) -> tuple[str, ...]:
    return tuple(spaced.split())


# Every name of a title or a person holds a word made of these: none is taken from real life.
SYLLABLE_STARTS: Final = _words(
    "Var Ost Cal Brin Mor Tel Quen Sar Lun Drav Hess Ilm Jor Kess Lor Marn Nev Orl Pell Rusk "
    "Sel Thal Ulm Vesh Wen Yor Zan Fenn Gal Aud"
)
SYLLABLE_ENDS: Final = _words(
    "row rel der mere vale wick stad ford ane ix oria und ham eth ora ello ingen asca ova ary "
    "olt umi eira esk"
)
FIRST_NAMES: Final = _words(
    "Aro Belis Caya Dovan Elin Fara Gido Hale Isko Jonna Kael Liora Mirek Nadja Orin Petra Quill "
    "Rasha Soren Tamsin Uma Veit Wanda Xeni Yusra Zeno Amadi Bao Chiyo Dalia"
)

NAME_PATTERNS: Final = (
    "The {adjective} {noun} of {word}",
    "{word}: The {noun}",
    "{adjective} {word}",
    "The {word} {noun}",
    "{noun} in {word}",
    "{word} and the {adjective} {noun}",
    "A {noun} for {word}",
)
TAG_SENTENCES: Final = (
    "A story of {phrases}.",
    "Expect {phrases}.",
    "With {phrases}.",
    "It turns on {phrases}.",
)
EPISODE_SENTENCES: Final = (
    "{hero} faces {phrase}.",
    "The trail leads to {phrase}.",
    "Everything changes with {phrase}.",
    "A quiet day ends in {phrase}.",
)
