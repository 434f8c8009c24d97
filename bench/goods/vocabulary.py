"""The words that made-up products are made of.

How often a word stands in the catalog follows from how many there are of its kind: a brand is in
one product of 500, a kind of thing in one of 120, a material in one of 40, a colour in one of 25.
"""


def words(text: str) -> list[str]:
    """One by one."""
    return text.split()


#: Departments, each with the kinds of things in it; a kind is a category too.
DEPARTMENTS = {
    "Kitchen": words(
        "Kettle Saucepan Skillet Colander Whisk Ladle Grater Teapot Casserole Toaster"
    ),
    "Furniture": words(
        "Bookcase Armchair Sideboard Bench Stool Wardrobe Desk Bedstead Shelf Ottoman"
    ),
    "Lighting": words(
        "Lantern Chandelier Floorlamp Sconce Spotlight Nightlight Pendant Torch Candle Dimmer"
    ),
    "Textiles": words("Blanket Curtain Duvet Towel Rug Cushion Tablecloth Pillowcase Quilt Throw"),
    "Garden": words(
        "Trowel Planter Hammock Wheelbarrow Sprinkler Parasol Trellis Rake Hedgecutter Birdhouse"
    ),
    "Outdoors": words(
        "Tent Rucksack Hatchet Canteen Headlamp Sleepingbag Compass Kayak Snowshoe Paddle"
    ),
    "Electronics": words(
        "Headphones Keyboard Monitor Router Speaker Charger Webcam Projector Tripod Tablet"
    ),
    "Fashion": words(
        "Jacket Cardigan Scarf Trousers Blouse Raincoat Gloves Beanie Dungarees Slippers"
    ),
    "Books": words(
        "Notebook Sketchpad Atlas Cookbook Diary Almanac Calendar Dictionary Guidebook Anthology"
    ),
    "Toys": words(
        "Puzzle Kite Teddybear Marbles Dollhouse Scooter Xylophone Domino Yoyo Spinningtop"
    ),
    "Tools": words(
        "Hammer Screwdriver Spanner Chisel Sander Clamp Toolbox Jigsaw Sawhorse Multimeter"
    ),
    "Care": words(
        "Shampoo Razor Sponge Soapdish Hairbrush Sunscreen Lipbalm Bathrobe Nailfile Toothbrush"
    ),
}

ADJECTIVES = words(
    "Compact Folding Sturdy Slim Heavy Light Wide Narrow Classic Modern Rustic Quiet Portable"
    " Stackable Adjustable Waterproof Insulated Ergonomic Handmade Reversible Modular Magnetic"
    " Wireless Foldaway Padded Ribbed Tapered Curved Square Round Tall Low Double Triple Mini Grand"
    " Everyday Festive Seasonal Travel"
)

MATERIALS = words(
    "oak ash walnut beech birch bamboo cork rattan willow pine steel copper brass iron aluminium"
    " titanium pewter enamel ceramic porcelain stoneware terracotta glass crystal marble slate"
    " granite concrete linen cotton wool cashmere silk hemp jute leather suede felt canvas denim"
)

COLOURS = words(
    "sand ivory cream charcoal graphite navy indigo teal turquoise emerald olive moss sage mustard"
    " ochre amber coral crimson burgundy plum lavender lilac rose peach silver"
)

_BEGINNINGS = words(
    "Nor Ald Bry Cal Dor Els Fen Gar Hol Ing Jor Kel Lum Mar Nyx Ost Pel Quen Ros Sel Tor Ulv Ver"
    " Wes Yar"
)
_ENDINGS = words(
    "vik wick berg dale stad ford mont haus well mark quist sund holm bray lund garth ley crest"
    " thorpe tone"
)

BRANDS = [beginning + ending for beginning in _BEGINNINGS for ending in _ENDINGS]

#: A description is two of them, so each stands in one product of 20.
SENTENCES = (
    "Made to be repaired: every part can be ordered on its own.",
    "It stands firmly on uneven floors and leaves no marks.",
    "The surface is oiled twice by hand and ages with dignity.",
    "Goes into the dishwasher and comes out as it went in.",
    "Packed flat, put together in ten minutes without glue.",
    "The seams are sewn double where others tear first.",
    "Light enough for one hand, strong enough for a decade.",
    "Comes with a spare set of screws and a short manual.",
    "Tested by a family of six and their impatient dog.",
    "The handle stays cool while the rest gets properly hot.",
    "Rain runs off, stains wipe away and frost does no harm.",
    "It folds smaller than a newspaper when nobody needs it.",
    "Our grandmother had one; hers is still in daily service.",
    "The lid closes with a click that is a pleasure to hear.",
    "Charged once a month, it is ready whenever you are.",
    "Woven slowly on old looms in a mill beside a river.",
    "No plastic anywhere, not even around the parcel.",
    "Fits under the staircase, behind doors and into most cupboards.",
    "The edges are rounded so that children may bump into them.",
    "A quiet design that gets along with what is there already.",
    "Holds four litres and pours without a single drop beside it.",
    "Breathes in summer, warms in winter, dries overnight.",
    "The colours come from plants and soften a little with sunlight.",
    "Turned from one piece, so nothing can loosen or rattle.",
    "Left-handed people were asked before the last drawing.",
    "Guaranteed for twenty years against everything but envy.",
    "Its weight sits low, which keeps it upright in the wind.",
    "You can mount it on a wall with the two hooks enclosed.",
    "Serves breakfast for two or a midnight snack for one.",
    "Cleans with a damp cloth and a minute of patience.",
    "The hinges were borrowed from boats and do not rust.",
    "It rolls silently on five rubber wheels with brakes.",
    "A gift that arrives in a box worth keeping.",
    "Assembled in a workshop that runs on its own solar roof.",
    "Available in three heights; this one suits most tables.",
    "Bees like it, snails do not, and slugs lose interest.",
    "The strap adjusts from shoulder to crossbody within seconds.",
    "Numbered, signed and shipped by the person who finished it.",
    "One size suits everybody who does not insist on another.",
    "Hangs, stands or leans, as the mood of the room demands.",
)
