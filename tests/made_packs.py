"""A curated quiz for tests, to be changed by `replace`."""

HATS = """\
pack_id = "hats"
name = "Which hat are you?"

[[questions]]
question_id = "weather"
text = "Rain?"

[[questions.options]]
option_id = "yes"
text = "Yes"
reason = "it rains"
genres = ["Drama"]

[[questions.options]]
option_id = "no"
text = "No"
reason = "it is dry"
genres = ["Comedy"]

[[outcomes]]
outcome_id = "fedora"
name = "Fedora"
text = "Dark."
genres = ["Drama"]

[[outcomes]]
outcome_id = "cap"
name = "Cap"
text = "Light."
genres = ["Comedy"]
"""
