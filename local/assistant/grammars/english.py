"""What is said to an English voice assistant, in small letters.

Many words are close to others on purpose (fifteen/fifty, on/off/of, call/all/hall, Dawn/Don, light/night), since a
recogniser learns nothing from words that cannot be confused.
"""

from __future__ import annotations

from grammar import words

_UNITS = words("one two three four five six seven eight nine")
_TEENS = words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
_TENS = words("twenty thirty forty fifty sixty seventy eighty ninety")
_NAMES = words(
    "anna hannah joanna laura lauren dora nora don dawn dan ben jen ken kim tim jim tom john joan jane "
    "james jamie amy emma gemma mary harry larry barry carrie terry jerry kerry sam pam adam aaron erin "
    "karen sharon peter rita lisa elsa alice ellis eric derek maria marina martin marvin paul carl mark "
    "clark luke duke rose ross sean shane simon diane david davis nina tina gina mike mick nick rick"
)
_ITEMS = words(
    "milk silk bread butter batter better lettuce letters rice ice spice lemons melons apples grapes pears "
    "peas beans beets beef leeks meat fish dish soup soap salt malt sugar flour flowers tea coffee toffee "
    "candles candies pasta paste yogurt ham jam clams nuts donuts oats coats honey corn cream ice_cream "
    "cheese cherries berries onions carrots parsley tomatoes potatoes pepper paper towels batteries"
)
_ARTISTS = words(
    "the_beetles the_rolling_stones the_doors the_cars queen prince the_kinks the_birds the_band madonna "
    "blur pulp oasis the_eagles kiss heart journey chicago boston kansas the_clash the_police"
)
_CITIES = words(
    "boston austin houston dallas dublin london paris berlin madrid rome oslo moscow lisbon vienna geneva "
    "venice athens denver dover cleveland portland oakland orlando toronto seattle salem tampa tulsa"
)


RULES: dict[str, list[str]] = {
    "sentence": [
        "<timer>", "<timer>", "<alarm>", "<alarm>", "<lights>", "<lights>", "<music>", "<music>",
        "<shopping>", "<shopping>", "<weather>", "<weather>", "<call>", "<call>", "<message>", "<message>",
        "<convert>", "<sum>", "<reminder>", "<reminder>", "<home>", "<home>", "<travel>", "<calendar>",
        "<calendar>", "<small>",
    ],
    "polite": ["", "", "", "please", "thanks", "right now", "for me", "if you can"],
    "ask": ["", "", "", "please", "can you", "could you", "hey", "okay now", "would you please",
            "i want you to"],
    # numbers and times
    "unit": _UNITS,
    "teen": _TEENS,
    "ten": _TENS,
    "number": ["<unit>", "<teen>", "<ten>", "<ten> <unit>", "<ten> <unit>"],
    "big": ["<number>", "<unit> hundred", "<unit> hundred <number>", "<unit> thousand",
            "<number> point <unit>"],
    "hour": [*_UNITS, "ten", "eleven", "twelve"],
    "minute": ["fifteen", "thirty", "forty five", "oh five", "ten", "twenty", "fifty", "<ten> <unit>",
               "thirteen"],
    "half": ["in the morning", "in the evening", "at night", "a m", "p m", "tonight", "this afternoon", ""],
    "time": [
        "<hour> <half>", "<hour> <minute> <half>", "half past <hour>", "quarter to <hour>",
        "a quarter past <hour>", "<hour> o'clock", "noon", "midnight",
    ],
    "day": ["today", "tomorrow", "tonight", "monday", "tuesday", "wednesday", "thursday", "friday",
            "saturday",
            "sunday", "this weekend", "next week", "the day after tomorrow"],
    "month": ["january", "february", "march", "april", "may", "june", "july", "august", "september",
              "october",
              "november", "december"],
    "ordinal": ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
                "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "twentieth",
                "twenty first", "twenty third", "thirtieth"],
    "date": ["<month> <ordinal>", "the <ordinal> of <month>", "<day>"],
    "length": ["<number> minutes", "<number> seconds", "<unit> hours", "an hour", "half an hour",
               "an hour and a half", "<unit> hours and <number> minutes",
               "<number> minutes and <number> seconds"],
    # who, what and where
    "name": _NAMES,
    "kin": ["mom", "dad", "my sister", "my brother", "my mother", "my father", "my wife", "my boss",
            "grandma",
            "the office", "the doctor", "the dentist", "my aunt", "my son", "my daughter"],
    "person": ["<name>", "<name>", "<name>", "<name> and <name>", "<kin>"],
    "room": ["kitchen", "bedroom", "bathroom", "living room", "hall", "garage", "garden", "office", "attic",
             "basement", "nursery", "dining room", "porch", "cellar", "guest room"],
    "item": _ITEMS,
    "items": ["<item>", "<item>", "<item> and <item>", "<item> <item> and <item>", "<number> <item>"],
    "artist": _ARTISTS,
    "city": _CITIES,
    "genre": ["jazz", "rock", "pop", "hip hop", "classical", "country", "blues", "soul", "folk", "dance",
              "disco",
              "metal", "piano", "party", "sleep", "workout"],
    "colour": ["red", "green", "blue", "white", "yellow", "orange", "pink", "purple", "warm white", "gold",
               "teal"],
    # commands
    "timer": [
        "<ask> set a timer for <length> <polite>", "<ask> start a <number> minute timer <polite>",
        "timer <length>", "add <length> to the <food> timer", "how much time is left on the <food> timer",
        "cancel the <food> timer", "<ask> pause the timer", "set a <food> timer for <length>",
        "stop the <number> minute timer",
    ],
    "food": ["pasta", "pizza", "egg", "rice", "cake", "steak", "laundry", "bread", "tea", "oven"],
    "alarm": [
        "<ask> set an alarm for <time>", "<ask> wake me up at <time> <day>",
        "<ask> cancel my <hour> <minute> alarm",
        "turn off the alarm at <time>", "snooze for <number> minutes", "what time is my alarm <day>",
        "move my alarm from <hour> to <hour> <minute>", "delete all alarms for <day>",
    ],
    "lights": [
        "<ask> turn on the <room> lights <polite>", "<ask> turn off the <room> light <polite>",
        "turn the lights <onoff> in the <room>", "<ask> dim the <room> lights to <number> percent",
        "set the <room> lamp to <colour>", "make the <room> lights <colour> and <brightness>",
        "switch <onoff> the lamp in the <room>", "turn <onoff> all the lights in the <room> and the <room>",
    ],
    "onoff": ["on", "off"],
    "brightness": ["brighter", "darker", "bright", "dimmer", "softer", "lighter", "whiter"],
    "music": [
        "<ask> play <artist>", "play some <genre> music in the <room>", "play the <order> song by <artist>",
        "<ask> play my <genre> playlist <polite>", "turn the volume <updown> to <number>", "skip this song",
        "<ask> shuffle songs by <artist>", "play <genre> radio on the <room> speaker", "who sings this song",
        "add this track to my <genre> list", "turn it <updown> <polite>", "play the new album by <artist>",
        "what album is this song from", "stop the music in the <room>",
    ],
    "order": ["first", "last", "next", "latest", "best", "worst", "new", "newest", "oldest"],
    "updown": ["up", "down"],
    "shopping": [
        "<ask> add <items> to my shopping list", "put <items> on the list",
        "remove <item> from my shopping list",
        "do i need <item> or <item>", "<ask> order <number> pounds of <item>", "we are out of <items>",
        "how much is <item> at the store", "buy <items> for <person>", "find a recipe with <item> and <item>",
        "how many calories are in <item>", "take <items> off the grocery list",
    ],
    "weather": [
        "what's the weather in <city> <day>", "will it <fall> in <city> <day>", "how <cold> is it in <city>",
        "is it going to <fall> <day>", "do i need <gear> <day>", "what's the forecast for <day>",
        "what will the temperature be at <time>", "when does the sun <riseset> in <city>",
        "is it <cold> in <city> or in <city>",
    ],
    "fall": ["rain", "snow", "hail", "be sunny", "be windy", "be cloudy", "freeze", "storm", "be foggy",
             "be fine"],
    "cold": ["cold", "hot", "warm", "wet", "dry", "humid", "windy", "cool"],
    "gear": ["an umbrella", "a coat", "a jacket", "boots", "gloves", "a hat", "sunscreen", "a scarf",
             "a sweater"],
    "riseset": ["rise", "set"],
    "call": [
        "<ask> call <person> <polite>", "call <person> on <phone>", "dial <digits>", "<ask> ring <person>",
        "answer the call from <name>", "hang up the phone", "redial the last number",
        "call <name> at <digits>",
        "did <person> call me <day>", "video call <person> at <time>", "ignore all calls from <name>",
    ],
    "phone": ["speaker", "his cell", "her cell", "the home phone", "the work phone", "mobile"],
    "digits": ["<digit> <digit> <digit> <digit>", "<digit> <digit> <digit> <digit> <digit> <digit> <digit>"],
    "digit": ["oh", "zero", *_UNITS, "double <unit>"],
    "message": [
        "tell <person> <news>", "send a message to <person> saying <news>", "text <person> <news>",
        "<ask> read my messages from <name>", "reply <news>", "do i have new mail from <name>",
        "email <person> that <news>", "send <name> my <thing>",
    ],
    "news": [
        "i am running late", "i will be there at <time>", "i'll be <number> minutes late", "we need <items>",
        "see you <day>", "i'm on my way", "the meeting is at <time>", "dinner is ready", "i can't come <day>",
        "i left <gear> in the <room>", "happy birthday", "please call <kin>", "the train is late",
        "we won the game", "the plane lands at <time>", "i love you", "meet me in <city>",
    ],
    "thing": ["address", "number", "location", "photos", "notes", "calendar", "arrival time",
              "flight details"],
    "convert": [
        "how many <measure> are in <big> <measure>", "convert <big> <measure> to <measure>",
        "what is <big> <measure> in <measure>", "how far is <big> <measure> in <measure>",
    ],
    "measure": ["inches", "feet", "yards", "miles", "meters", "kilometers", "centimeters", "ounces", "pounds",
                "grams", "kilograms", "liters", "gallons", "pints", "quarts", "cups", "teaspoons", "dollars",
                "euros", "degrees", "hours", "days", "weeks"],
    "sum": [
        "what is <big> <operation> <big>", "what's <number> percent of <big>",
        "what is the square root of <big>",
        "how much is <big> <operation> <number>", "roll a dice with <number> sides",
        "pick a number from <unit> to <big>",
    ],
    "operation": ["plus", "minus", "times", "divided by", "over"],
    "reminder": [
        "<ask> remind me to <task> at <time>", "<ask> remind me to <task> <day>",
        "don't let me forget to <task>",
        "remind <person> to <task> in <length>", "add <task> to my list for <day>",
        "what do i have to do <day>",
        "remind me on <date> to <task>",
    ],
    "task": [
        "call <person>", "buy <items>", "feed the <pet>", "walk the dog", "water the plants",
        "pay the <bill> bill",
        "take out the trash", "pick up <name>", "wash the <wash>", "lock the <door> door",
        "book a table for <unit>",
        "write to <person>", "charge the <device>", "clean the <room>", "check the mail",
        "send the letter to <name>",
    ],
    "pet": ["cat", "dog", "fish", "birds", "rabbit", "hens"],
    "bill": ["gas", "phone", "water", "power", "rent", "credit card"],
    "wash": ["car", "dishes", "clothes", "windows", "curtains", "cups"],
    "door": ["front", "back", "side", "garage", "cellar", "shed"],
    "device": ["phone", "tablet", "laptop", "camera", "car", "watch", "headphones"],
    "home": [
        "<ask> set the <room> temperature to <number> degrees", "<ask> lock the <door> door <polite>",
        "is the <door> door locked", "open the <cover> in the <room>",
        "close the <cover> in the <room> <polite>",
        "turn <onoff> the <machine> <polite>", "turn the heat <updown> by <unit> degrees",
        "start the <machine> at <time>",
        "show me the <door> door camera", "who is at the <door> door", "is the <machine> still on",
    ],
    "cover": ["blinds", "curtains", "windows", "shades", "shutters"],
    "machine": ["fan", "heater", "oven", "dryer", "washer", "dishwasher", "vacuum", "sprinkler", "t v",
                "coffee maker",
                "air conditioner", "radio", "computer", "fridge"],
    "travel": [
        "how do i get to <city>", "how long is the drive to <city>", "when is the next train to <city>",
        "book a flight from <city> to <city> on <date>", "find a hotel in <city> for <number> nights",
        "what time is it in <city>", "how is the traffic to the <place>", "take me to the nearest <place>",
        "avoid the <road> to <city>", "find a cheap <place> near <city>",
    ],
    "place": ["bank", "gas station", "pharmacy", "hospital", "park", "airport", "station", "library",
              "museum",
              "bakery", "bar", "gym", "beach", "theater", "school", "pool", "mall", "hall"],
    "road": ["highway", "tolls", "bridge", "tunnel", "main road", "ferry"],
    "calendar": [
        "what's on my calendar for <date>", "schedule a <event> with <person> on <date> at <time>",
        "cancel my <event> on <date>", "move my <event> with <name> to <time>",
        "when is the <event> with <person>",
        "add <name>'s birthday on <month> <ordinal>", "am i free on <date> at <time>",
        "when is <name>'s party",
    ],
    "event": ["meeting", "lunch", "dinner", "call", "class", "dentist appointment", "game", "lesson",
              "date", "interview",
              "haircut", "party"],
    "small": [
        "good <hello>", "tell me a joke about <pet>", "what time is it", "what day is <date>", "never mind",
        "sing me a song", "flip a coin", "how do you spell <item>", "what rhymes with <item>", "stop",
        "who won the game",
        "repeat that <polite>", "what's the capital of <country>", "how old is <artist>",
        "say that in <tongue>",
        "how do you say <item> in <tongue>", "what's new <day>", "read me the news about <city>",
    ],
    "hello": ["morning", "night", "evening", "afternoon", "bye"],
    "country": ["france", "spain", "italy", "greece", "ireland", "iceland", "norway", "poland", "finland",
                "chile",
                "china", "india", "austria", "australia", "iran", "iraq"],
    "tongue": ["french", "spanish", "german", "dutch", "danish", "greek", "finnish", "polish", "irish",
               "swedish"],
}  # fmt: skip
