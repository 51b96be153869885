"""Share images: a card as SVG and PNG, with text that is shaped here and drawn as outlines."""
