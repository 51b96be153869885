"""The recap service: what brings a viewer back: recaps, stories so far and the mood quiz."""
