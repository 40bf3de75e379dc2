"""What is said to a German voice assistant, in small letters throughout, nouns too.

A noun stands in a rule of the case and with the article that the sentences need. Many words are close to others on
purpose (an/aus, zwei/drei, fünfzehn/fünfzig, Anna/Hanna, Hamburg/Homburg, Käse/Kekse), since a recogniser learns
nothing from words that cannot be confused.
"""

from __future__ import annotations

from grammar import words
from num2words import num2words


def _number(value: int) -> str:
    return num2words(value, lang="de")


_NAMES = words(
    "anna hanna johanna laura lara klara sara lea mia pia maria marie lena lina nina tina bettina katrin karin "
    "kerstin kirsten petra peter dieter günter jan jens ben sven finn tim tom thomas jonas lukas markus martin "
    "stefan steffen jürgen jörg georg bernd gerd uwe ute heike meike silke ulrike moritz fritz franz hans heinz "
    "paul paula michael michaela daniel daniela ida ada emma elke"
)
_ITEMS = words(
    "milch brot brötchen butter quark käse kekse kirschen birnen bohnen möhren nudeln reis eis eier mehl öl essig "
    "salz schmalz pfeffer zucker gurken äpfel apfelsaft orangensaft tee kaffee kakao wasser bier wein tomaten "
    "kartoffeln zwiebeln knoblauch petersilie schinken fisch fleisch wurst senf sahne joghurt honig marmelade "
    "schokolade müsli nüsse linsen kerzen seife spülmittel waschmittel klopapier batterien"
)
_ARTISTS = words(
    "die_ärzte die_toten_hosen herbert_grönemeyer udo_lindenberg nena helene_fischer rammstein kraftwerk "
    "die_prinzen silbermond juli seeed peter_fox mark_forster abba queen madonna bach beethoven mozart"
)
_CITIES = words(
    "berlin bern bremen dresden essen münster münchen hamburg homburg köln kiel kassel leipzig lübeck hannover "
    "rostock nürnberg würzburg freiburg augsburg bonn ulm mainz wien graz linz salzburg zürich basel paris rom "
    "london madrid lissabon"
)
_MONTHS = words("januar februar märz april mai juni juli august september oktober november dezember")


RULES: dict[str, list[str]] = {
    "sentence": [
        "<timer>", "<timer>", "<alarm>", "<alarm>", "<lights>", "<lights>", "<music>", "<music>",
        "<shopping>", "<shopping>", "<weather>", "<weather>", "<call>", "<call>", "<message>", "<message>",
        "<convert>", "<sum>", "<reminder>", "<reminder>", "<home>", "<home>", "<travel>", "<calendar>",
        "<calendar>", "<small>",
    ],
    "please": ["", "", "", "bitte", "jetzt bitte", "mal", "doch bitte"],
    "can_you": ["kannst du", "kannst du", "könntest du", "würdest du", "du sollst"],
    # numbers and times
    "digit": [_number(value) for value in range(10)],
    "few": [_number(value) for value in range(2, 13)],
    "teen": [_number(value) for value in range(13, 20)],
    "ten": [_number(value) for value in range(20, 100, 10)],
    "compound": [_number(value) for value in range(21, 100) if value % 10],
    "number": ["<few>", "<few>", "<teen>", "<ten>", "<compound>", "<compound>"],
    "hundred": [_number(value) for value in range(100, 1000, 100)] + ["hundert"],
    "thousand": [_number(value) for value in range(2000, 10000, 1000)] + ["tausend"],
    "big": ["<number>", "<number>", "<hundred>", "<thousand>", "<number> komma <digit>"],
    "hour": ["<few>", "<few>", "<few>", "eins"],
    "hour_of_day": ["ein", "<few>", "<few>", "<few>", "<teen>", "zwanzig", "einundzwanzig", "zweiundzwanzig"],
    "minute": ["fünf", "zehn", "fünfzehn", "zwanzig", "dreißig", "vierzig", "fünfundvierzig", "fünfzig", "<compound>"],
    "half": ["", "", "morgens", "abends", "nachmittags", "früh"],
    "time": [
        "<hour_of_day> uhr", "<few> uhr <half>", "<hour_of_day> uhr <minute>", "halb <hour> <half>",
        "viertel nach <hour>",
        "viertel vor <hour>", "dreiviertel <hour>", "kurz nach <hour>", "zehn vor <hour>",
    ],
    "midnight": ["mitternacht", "<time>", "<time>", "<time>", "<time>"],
    "weekday": ["montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"],
    "day": ["heute", "morgen", "übermorgen", "heute abend", "morgen früh", "morgen abend", "am <weekday>",
            "am <weekday>", "am <weekday>", "am wochenende", "nächste woche", "nächsten <weekday>"],
    "past": ["heute", "gestern", "vorgestern", "gestern abend", "heute morgen", "am <weekday>", "letzte woche"],
    "month": _MONTHS,
    "ordinal": [f"{num2words(value, to='ordinal', lang='de')}n" for value in (*range(1, 21), 21, 23, 24, 30, 31)],
    "date": ["am <ordinal> <month>", "am <ordinal> <month>", "<day>"],
    "length": ["<number> minuten", "<number> minuten", "<number> sekunden", "<few> stunden", "eine stunde",
               "eine minute", "eine halbe stunde", "eine viertelstunde", "anderthalb stunden",
               "<few> stunden und <number> minuten", "<number> minuten und <number> sekunden"],
    # who, what and where
    "name": _NAMES,
    "kin": ["mama", "papa", "oma", "opa", "meine mutter", "meine schwester", "meine tochter", "meine frau",
            "meine chefin", "meine tante", "meine nachbarin", "die praxis", "die werkstatt"],
    "to_kin": ["mama", "papa", "oma", "opa", "meiner mutter", "meiner schwester", "meiner tochter", "meinem bruder",
               "meiner frau", "meinem mann", "meinem chef", "meiner tante", "meinem nachbarn"],
    "person": ["<name>", "<name>", "<name>", "<kin>"],
    "to_person": ["<name>", "<name>", "<name>", "<to_kin>", "<name> und <name>"],
    "people": ["<person>", "<person>", "<name> und <name>"],
    "in_room": ["in der küche", "im wohnzimmer", "im schlafzimmer", "im bad", "im flur", "im keller", "im garten",
                "in der garage", "im büro", "im kinderzimmer", "im esszimmer", "im gästezimmer", "im treppenhaus",
                "auf dem balkon", "auf der terrasse", "auf dem dachboden"],
    "light": ["das licht", "das licht", "die lampe", "die lampen", "die stehlampe", "das deckenlicht",
              "die leselampe", "die lichterkette"],
    "item": _ITEMS,
    "items": ["<item>", "<item>", "<item> und <item>", "<item> <item> und <item>"],
    "artist": _ARTISTS,
    "city": _CITIES,
    "genre": ["jazz", "rock", "pop", "klassik", "schlager", "volksmusik", "filmmusik", "tanzmusik", "klaviermusik",
              "blues", "soul", "techno", "disco", "kinderlieder", "weihnachtslieder"],
    "colour": ["rot", "grün", "blau", "grau", "weiß", "gelb", "orange", "rosa", "lila", "türkis", "warmweiß"],
    "on_off": ["an", "aus"],
    "switch": ["an", "aus", "ein"],
    "up_down": ["lauter", "leiser"],
    # commands
    "timer": [
        "stell <please> einen timer auf <length>", "<can_you> einen timer auf <length> stellen", "timer auf <length>",
        "stell den <food>timer auf <length>", "wie lange läuft der timer noch", "wie viel zeit ist noch übrig",
        "lösch <please> den timer", "halt den <food>timer an", "verlängere den timer um <length>",
        "starte <please> einen timer für <length>", "weck mich in <soon>",
    ],
    "food": ["nudel", "reis", "tee", "kuchen", "eier", "pizza"],
    "soon": ["<number> minuten", "einer stunde", "einer halben stunde", "<few> stunden"],
    "alarm": [
        "stell <please> den wecker auf <midnight>", "weck mich <please> <day> um <time>", "weck mich um <midnight>",
        "<can_you> mich <day> um <time> wecken", "lösch den wecker um <time>", "schalte den wecker <day> aus",
        "verschieb den wecker von <hour> auf <time>", "wann klingelt mein wecker <day>",
        "noch <number> minuten schlummern",
        "lösch alle wecker für <weekday>",
    ],
    "lights": [
        "mach <please> <light> <in_room> <on_off>", "schalte <please> <light> <in_room> <switch>",
        "<can_you> <light> <in_room> <switch>schalten", "dimm <light> <in_room> auf <number> prozent",
        "stell <light> <in_room> auf <colour>", "mach das licht <in_room> <brightness>",
        "mach alle lichter <in_room> <on_off>", "färbe <light> <in_room> <colour>", "ist das licht <in_room> noch an",
    ],
    "brightness": ["heller", "dunkler", "wärmer", "kälter", "etwas heller", "ein bisschen dunkler", "gemütlicher"],
    "music": [
        "spiel <please> <artist>", "spiel <genre> <in_room>", "spiel das <order> lied von <artist>",
        "<can_you> etwas von <artist> spielen", "mach die musik <up_down>", "stell die lautstärke auf <number>",
        "überspring dieses lied", "nächstes lied", "wer singt das", "wie heißt dieses lied",
        "spiel mein <genre> album", "halt die musik <in_room> an", "spiel radio <in_room>",
        "setz das lied auf meine liste", "mach <please> <up_down>", "hör auf zu spielen",
    ],
    "order": ["erste", "letzte", "neue", "neueste", "beste", "nächste", "älteste"],
    "shopping": [
        "setz <please> <items> auf die einkaufsliste", "schreib <items> auf die liste",
        "streich <item> von der einkaufsliste", "brauchen wir noch <item> oder <item>", "haben wir noch <item>",
        "bestell <please> <number> packungen <item>", "was kosten <number> kilo <item>", "kauf <items> für <people>",
        "such ein rezept für <item>", "was steht auf der einkaufsliste", "wir brauchen noch <items>",
    ],
    "weather": [
        "wie wird das wetter <day> in <city>", "wird es <day> in <city> <fall>", "wie <cold> ist es in <city>",
        "brauche ich <day> <gear>", "wie warm wird es <day>", "scheint <day> die sonne",
        "wann geht die sonne in <city> <rise_set>", "ist es in <city> <colder> als in <city>",
        "wie ist die vorhersage für <weekday>", "kommt <day> ein gewitter",
    ],
    "fall": ["regnen", "schneien", "hageln", "stürmen", "frieren", "gewittern", "neblig", "windig", "sonnig", "schön"],
    "cold": ["kalt", "heiß", "warm", "nass", "windig", "schwül"],
    "colder": ["kälter", "wärmer", "schöner", "heißer"],
    "gear": ["einen schirm", "einen mantel", "einen schal", "eine jacke", "eine mütze", "handschuhe", "stiefel",
             "sonnencreme", "eine sonnenbrille", "einen pullover"],
    "rise_set": ["auf", "unter"],
    "call": [
        "ruf <please> <person> an", "<can_you> <person> anrufen", "wähl <digits>", "ruf <name> unter <digits> an",
        "ruf <person> <phone> an", "nimm den anruf von <name> an", "leg auf", "hat <name> <past> angerufen",
        "wer hat mich <past> angerufen", "wiederhol die letzte nummer", "lehn den anruf von <name> ab",
    ],
    "phone": ["auf dem handy", "zu hause", "im büro", "mit video", "über lautsprecher"],
    "digits": ["<digit> <digit> <digit> <digit>", "<digit> <digit> <digit> <digit> <digit> <digit>"],
    "message": [
        "schreib <to_person> <news>", "sag <to_person> <news>", "schick <to_person> eine nachricht <news>",
        "lies <please> meine nachrichten von <name> vor", "antworte <news>", "habe ich neue nachrichten von <name>",
        "schick <name> <thing>", "<can_you> <name> <thing> schicken",
    ],
    "news": [
        "ich komme später", "ich bin um <time> da", "ich verspäte mich um <number> minuten", "wir brauchen <items>",
        "bis <weekday>", "ich bin unterwegs", "die besprechung ist um <time>", "das essen ist fertig",
        "ich kann <day> nicht kommen", "alles gute zum geburtstag", "ruf bitte <kin> an", "der zug hat verspätung",
        "wir haben gewonnen", "der flug landet um <time>", "ich hab dich lieb", "wir treffen uns in <city>",
        "vergiss den schlüssel nicht",
    ],
    "thing": ["meine adresse", "meine nummer", "meinen standort", "die fotos", "die rechnung", "die notizen",
              "den termin", "die ankunftszeit"],
    "convert": [
        "wie viele <measure> sind <big> <measure>", "rechne <big> <measure> in <measure> um",
        "was sind <big> <measure> in <measure>",
    ],
    "measure": ["meter", "kilometer", "zentimeter", "millimeter", "meilen", "schritte", "gramm", "kilogramm",
                "pfund", "tonnen", "liter", "milliliter", "tassen", "teelöffel",
                "esslöffel", "euro", "dollar", "franken", "grad", "stunden", "tage", "wochen"],
    "sum": [
        "was ist <big> <operation> <big>", "wie viel ist <big> <operation> <number>",
        "was sind <number> prozent von <big>",
        "was ist die wurzel aus <big>", "würfel mit <few> würfeln", "nenn eine zahl zwischen <few> und <big>",
    ],
    "operation": ["plus", "minus", "mal", "geteilt durch", "hoch"],
    "reminder": [
        "erinner mich <please> um <time> daran <task>", "erinner mich <day> daran <task>",
        "erinner mich in <soon> daran <task>", "<can_you> mich <day> daran erinnern <task>",
        "vergiss nicht <task>", "erinner <name> <date> daran <task>", "was muss ich <day> noch erledigen",
    ],
    "task": [
        "<person> anzurufen", "<items> zu kaufen", "<pet> zu füttern", "mit dem hund rauszugehen",
        "die blumen zu gießen", "die <bill> zu bezahlen", "den müll rauszubringen", "<name> abzuholen",
        "<wash> zu waschen", "die <door> abzuschließen", "einen tisch für <few> zu bestellen",
        "<to_person> zu schreiben", "<device> aufzuladen", "das zimmer aufzuräumen", "in den briefkasten zu schauen",
        "den brief zur post zu bringen",
    ],
    "pet": ["die katze", "den hund", "die fische", "die vögel", "den hasen", "die hühner"],
    "bill": ["stromrechnung", "gasrechnung", "wasserrechnung", "telefonrechnung", "miete"],
    "wash": ["das auto", "die wäsche", "die hemden", "die hosen", "die vorhänge", "das geschirr"],
    "door": ["haustür", "kellertür", "gartentür", "terrassentür", "garage"],
    "device": ["das handy", "das tablet", "den laptop", "die kamera", "das auto", "die uhr", "die kopfhörer"],
    "home": [
        "stell die heizung <in_room> auf <number> grad", "schließ <please> die <door> ab",
        "ist die <door> abgeschlossen",
        "mach die <cover> <in_room> <open_shut>", "fahr die <cover> <in_room> <up_or_down>",
        "schalte <please> <machine> <switch>", "<can_you> <machine> <switch>schalten", "starte <machine> um <time>",
        "mach es <in_room> <few> grad <colder>", "wer ist an der <door>", "läuft <running> noch",
    ],
    "cover": ["rollläden", "rollos", "jalousien", "fenster", "vorhänge"],
    "open_shut": ["auf", "zu"],
    "up_or_down": ["hoch", "runter"],
    "machine": ["den ventilator", "den fernseher", "den backofen", "den staubsauger", "den trockner", "<running>"],
    "running": ["die waschmaschine", "die spülmaschine", "die kaffeemaschine", "die heizung", "die klimaanlage",
                "das radio"],
    "travel": [
        "wie komme ich nach <city>", "wie lange fährt man nach <city>", "wann fährt der nächste zug nach <city>",
        "buch einen flug von <city> nach <city> <date>", "such ein hotel in <city> für <few> nächte",
        "wie spät ist es in <city>", "ist stau auf dem weg nach <city>", "bring mich <please> zum nächsten <place>",
        "fahr ohne <road> nach <city>", "wo ist der nächste <place>", "wie weit ist es von <city> nach <city>",
    ],
    "place": ["bahnhof", "flughafen", "supermarkt", "parkplatz", "bäcker", "arzt", "markt", "geldautomat",
              "spielplatz",
              "strand", "park"],
    "road": ["autobahn", "maut", "fähre", "umweg", "stau"],
    "calendar": [
        "was steht <date> in meinem kalender", "trag <date> um <time> <event> mit <to_person> ein",
        "sag <the_event> <date> ab", "verschieb <the_event> mit <to_kin> auf <time>",
        "wann ist der geburtstag von <name>",
        "habe ich <date> um <time> zeit", "wann beginnt die feier von <name>", "habe ich <day> termine",
    ],
    "event": ["einen termin", "eine besprechung", "ein mittagessen", "ein abendessen", "ein treffen", "eine prüfung",
              "ein vorstellungsgespräch", "einen ausflug", "eine fahrstunde"],
    "the_event": ["den termin", "die besprechung", "das mittagessen", "das abendessen", "das treffen", "die prüfung",
                  "den ausflug", "die fahrstunde"],
    "small": [
        "guten <hello>", "gute nacht", "auf wiedersehen", "erzähl mir einen witz", "wie spät ist es",
        "welcher tag ist heute", "welches datum ist am <weekday>",
        "schon gut", "sing mir ein lied", "wirf eine münze", "wie schreibt man <item>", "was reimt sich auf <item>",
        "stopp", "wer hat das spiel gewonnen", "wiederhol das <please>", "was ist die hauptstadt von <country>",
        "wie alt ist <name>", "was heißt <item> auf <tongue>", "lies mir die nachrichten aus <city> vor",
        "vielen dank",
    ],
    "hello": ["morgen", "tag", "abend"],
    "country": ["frankreich", "österreich", "spanien", "italien", "griechenland", "irland", "island", "norwegen",
                "polen", "finnland", "dänemark", "schweden", "china", "indien", "japan"],
    "tongue": ["englisch", "französisch", "spanisch", "italienisch", "griechisch", "polnisch", "russisch", "dänisch"],
}  # fmt: skip
