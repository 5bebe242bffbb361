package demo

// place is a town with what an address and a fictional phone number there need.
type place struct {
	city, region, zip string // zip is the leading part of the postal code; the rest is drawn
	area              string // national dialling prefix of a fictional number, without the drawn digits
	digits            int    // how many digits are drawn after area
}

// country holds the vocabulary of one country's people and addresses.
type country struct {
	code, language string
	zipDigits      int
	share          int // of a hundred customers
	places         []place
	streets        []string
	streetFormat   string // of name and number
	female, male   []string
	surnames       []string
}

var countries = []country{
	{
		code: "US", language: "en", zipDigits: 5, share: 72, streetFormat: "%[2]d %[1]s",
		places: []place{
			{"New York", "NY", "100", "+121255501", 2}, {"Brooklyn", "NY", "112", "+171855501", 2}, {"Albany", "NY", "122", "+151855501", 2},
			{"Boston", "MA", "021", "+161755501", 2}, {"Springfield", "MA", "011", "+141355501", 2}, {"Hartford", "CT", "061", "+186055501", 2},
			{"Philadelphia", "PA", "191", "+121555501", 2}, {"Pittsburgh", "PA", "152", "+141255501", 2}, {"Newark", "NJ", "071", "+197355501", 2},
			{"Baltimore", "MD", "212", "+141055501", 2}, {"Richmond", "VA", "232", "+180455501", 2}, {"Raleigh", "NC", "276", "+191955501", 2},
			{"Charlotte", "NC", "282", "+170455501", 2}, {"Atlanta", "GA", "303", "+140455501", 2}, {"Savannah", "GA", "314", "+191255501", 2},
			{"Jacksonville", "FL", "322", "+190455501", 2}, {"Tampa", "FL", "336", "+181355501", 2}, {"Miami", "FL", "331", "+130555501", 2},
			{"Cleveland", "OH", "441", "+121655501", 2}, {"Columbus", "OH", "432", "+161455501", 2}, {"Cincinnati", "OH", "452", "+151355501", 2},
			{"Detroit", "MI", "482", "+131355501", 2}, {"Grand Rapids", "MI", "495", "+161655501", 2}, {"Indianapolis", "IN", "462", "+131755501", 2},
			{"Chicago", "IL", "606", "+131255501", 2}, {"Rockford", "IL", "611", "+181555501", 2}, {"Milwaukee", "WI", "532", "+141455501", 2},
			{"Madison", "WI", "537", "+160855501", 2}, {"Minneapolis", "MN", "554", "+161255501", 2}, {"Des Moines", "IA", "503", "+151555501", 2},
			{"St. Louis", "MO", "631", "+131455501", 2}, {"Kansas City", "MO", "641", "+181655501", 2}, {"Omaha", "NE", "681", "+140255501", 2},
			{"Wichita", "KS", "672", "+131655501", 2}, {"Tulsa", "OK", "741", "+191855501", 2}, {"Dallas", "TX", "752", "+121455501", 2},
			{"Austin", "TX", "787", "+151255501", 2}, {"Houston", "TX", "770", "+171355501", 2}, {"San Antonio", "TX", "782", "+121055501", 2},
			{"New Orleans", "LA", "701", "+150455501", 2}, {"Memphis", "TN", "381", "+190155501", 2}, {"Nashville", "TN", "372", "+161555501", 2},
			{"Louisville", "KY", "402", "+150255501", 2}, {"Birmingham", "AL", "352", "+120555501", 2}, {"Denver", "CO", "802", "+130355501", 2},
			{"Salt Lake City", "UT", "841", "+180155501", 2}, {"Boise", "ID", "837", "+120855501", 2}, {"Albuquerque", "NM", "871", "+150555501", 2},
			{"Phoenix", "AZ", "850", "+160255501", 2}, {"Las Vegas", "NV", "891", "+170255501", 2}, {"Los Angeles", "CA", "900", "+121355501", 2},
			{"San Diego", "CA", "921", "+161955501", 2}, {"San Francisco", "CA", "941", "+141555501", 2}, {"Sacramento", "CA", "958", "+191655501", 2},
			{"Fresno", "CA", "937", "+155955501", 2}, {"Portland", "OR", "972", "+150355501", 2}, {"Eugene", "OR", "974", "+154155501", 2},
			{"Seattle", "WA", "981", "+120655501", 2}, {"Spokane", "WA", "992", "+150955501", 2}, {"Burlington", "VT", "054", "+180255501", 2},
		},
		streets: []string{"Maple Street", "Oak Avenue", "Cedar Lane", "Elm Street", "Washington Avenue", "Lake Drive", "Hill Road", "Park Place",
			"Sunset Boulevard", "River Road", "Church Street", "Willow Court", "Highland Avenue", "Meadow Lane", "Orchard Street", "Spruce Street",
			"Lincoln Avenue", "Franklin Street", "Prospect Street", "Chestnut Street", "Ridge Road", "Dogwood Drive", "Birch Lane", "Mill Road"},
		female: []string{"Mary", "Patricia", "Jennifer", "Linda", "Elizabeth", "Barbara", "Susan", "Jessica", "Sarah", "Karen", "Lisa", "Nancy", "Betty",
			"Sandra", "Ashley", "Emily", "Donna", "Michelle", "Carol", "Amanda", "Melissa", "Deborah", "Stephanie", "Rebecca", "Laura", "Helen", "Amy",
			"Shirley", "Angela", "Anna", "Ruth", "Brenda", "Pamela", "Nicole", "Katherine", "Virginia", "Rosa", "Diane", "Julie", "Grace"},
		male: []string{"James", "Robert", "John", "Michael", "David", "William", "Richard", "Joseph", "Thomas", "Charles", "Christopher", "Daniel",
			"Matthew", "Anthony", "Mark", "Donald", "Steven", "Andrew", "Paul", "Joshua", "Kenneth", "Kevin", "Brian", "Timothy", "Ronald", "Jason",
			"George", "Edward", "Jeffrey", "Ryan", "Jacob", "Gary", "Nicholas", "Eric", "Jonathan", "Stephen", "Larry", "Scott", "Frank", "Luis"},
		surnames: []string{"Smith", "Johnson", "Williams", "Brown", "Jones", "Garcia", "Miller", "Davis", "Rodriguez", "Martinez", "Hernandez", "Lopez",
			"Gonzalez", "Wilson", "Anderson", "Thomas", "Taylor", "Moore", "Jackson", "Martin", "Lee", "Perez", "Thompson", "White", "Harris", "Sanchez",
			"Clark", "Ramirez", "Lewis", "Robinson", "Walker", "Young", "Allen", "King", "Wright", "Scott", "Torres", "Nguyen", "Hill", "Flores", "Green",
			"Adams", "Nelson", "Baker", "Hall", "Rivera", "Campbell", "Mitchell", "Carter", "Roberts", "O'Brien", "Murphy", "Kowalski", "Bergstrom",
			"Whitfield", "Abernathy", "Delacroix", "Featherstone", "Lindqvist", "Okafor", "Petrov", "Rosenberg", "Sato", "Tran", "Vance", "Winslow"},
	},
	{
		code: "GB", language: "en", zipDigits: 0, share: 14, streetFormat: "%[2]d %[1]s",
		places: []place{
			{"London", "", "SE1", "+442079460", 3}, {"Leeds", "", "LS6", "+441134960", 3}, {"Sheffield", "", "S10", "+441144960", 3},
			{"Leicester", "", "LE2", "+441164960", 3}, {"Bristol", "", "BS6", "+441174960", 3},
			{"Reading", "", "RG1", "+441184960", 3}, {"Birmingham", "", "B13", "+441214960", 3}, {"Edinburgh", "", "EH9", "+441314960", 3},
			{"Glasgow", "", "G12", "+441414960", 3}, {"Liverpool", "", "L18", "+441514960", 3}, {"Manchester", "", "M20", "+441614960", 3},
		},
		streets: []string{"High Street", "Station Road", "Church Lane", "Victoria Road", "Mill Lane", "The Crescent", "Queens Road", "Grange Road",
			"York Road", "Albert Terrace", "Manor Road", "Orchard Close"},
		female: []string{"Olivia", "Amelia", "Margaret", "Charlotte", "Harriet", "Rosemary", "Gemma", "Imogen", "Fiona", "Alison", "Heather", "Zoe"},
		male:   []string{"Oliver", "Harry", "Alistair", "Graham", "Nigel", "Rhys", "Callum", "Stuart", "Ian", "Hamish", "Gareth", "Simon"},
		surnames: []string{"Patel", "Hughes", "Edwards", "Wood", "Shaw", "Fletcher", "Barker", "Holmes", "Ellis", "Griffiths", "MacDonald", "Fraser",
			"Ashworth", "Pemberton", "Llewellyn", "Hargreaves", "Sutcliffe", "Braithwaite"},
	},
	{
		code: "DE", language: "de", zipDigits: 5, share: 14, streetFormat: "%[1]s %[2]d",
		places: []place{
			{"Berlin", "", "10", "+493023125", 3}, {"Frankfurt am Main", "", "60", "+496990009", 3}, {"Hamburg", "", "20", "+494066969", 3},
			{"Köln", "", "50", "+492214710", 3}, {"München", "", "80", "+498999998", 3},
		},
		streets: []string{"Hauptstraße", "Bahnhofstraße", "Gartenweg", "Lindenallee", "Schulstraße", "Am Mühlbach", "Goethestraße", "Rosenweg",
			"Kirchgasse", "Bergstraße", "Birkenweg", "Schillerstraße"},
		female: []string{"Anna", "Ursula", "Sabine", "Petra", "Monika", "Jürgen-Marie", "Käthe", "Ingrid", "Heike", "Lena", "Birgit", "Renate"},
		male:   []string{"Hans", "Jürgen", "Wolfgang", "Klaus", "Dieter", "Günther", "Stefan", "Uwe", "Matthias", "Björn", "Jörg", "Bernd"},
		surnames: []string{"Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz", "Hoffmann", "Schäfer", "Köhler",
			"Groß", "Böhm", "Weiß", "Jäger", "Vogel", "Krüger"},
	},
}

// product is one line of the demonstration's catalogue; prices are in US dollars.
type product struct {
	sku, name, category string
	cents               int
}

var products = []product{
	{"BULB-TULIP", "Tulip mix, 50 bulbs", "bulbs", 2450}, {"BULB-CROCUS", "Crocus carpet, 100 bulbs", "bulbs", 1990},
	{"BULB-ALLIUM", "Allium giant, 10 bulbs", "bulbs", 2990}, {"SEED-HERBS", "Kitchen herbs seed box", "seeds", 1490},
	{"SEED-SALAD", "Salad all summer seed box", "seeds", 1290}, {"SEED-MEADOW", "Wild flower meadow, 100 m²", "seeds", 3990},
	{"ROSE-ALBA", "Rose 'Alba', bare root", "roses", 2190}, {"ROSE-CLIMB", "Climbing rose 'Aldus'", "roses", 2690},
	{"TOOL-SECATEUR", "Secateurs, forged", "tools", 4900}, {"TOOL-SPADE", "Border spade, ash handle", "tools", 6400},
	{"TOOL-GLOVES", "Goatskin gloves", "tools", 2200}, {"GIFT-AMARYLLIS", "Amaryllis gift set", "gifts", 3450},
}
