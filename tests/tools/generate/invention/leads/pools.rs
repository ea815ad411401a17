//! The longer lists of names that leads are made of, on top of those in `names`.
//!
//! Names are in order of how common they are, roughly: the shuffle at the front of a list makes the namesakes.
//! Rare family names are put together from a stem and an ending, the way such names came about.

use super::super::{names, person::Country, random::Random};

const POLISH_WOMEN: &str = "Krystyna Teresa Elżbieta Danuta Maria Dorota Renata Beata Jolanta Justyna Paulina Karolina Sylwia \
     Edyta Aneta Marta Izabela Kamila Dominika Weronika Ewelina Marzena Wioletta Alicja Hanna Wanda Irena Helena \
     Stanisława Emilia Lucyna Marianna Bogumiła Aldona Kornelia Sandra Klaudia Oliwia Maja Lena Nikola Martyna \
     Gabriela Milena Anita Honorata Mirosława Zuzanna Daria Elwira Regina Celina Bernadetta Malwina Ilona Roksana \
     Adrianna Nina Laura Amelia Antonina Kaja Inga Liwia Róża Bronisława Genowefa Ludwika Longina Otylia";
const POLISH_MEN: &str = "Marek Robert Marian Zbigniew Ryszard Jerzy Tadeusz Henryk Jacek Maciej Przemysław Dawid Kacper Filip \
     Szymon Wiktor Artur Radosław Leszek Sebastian Konrad Daniel Patryk Damian Karol Hubert Mikołaj Antoni Igor \
     Aleksander Edward Kazimierz Zygmunt Wiesław Bogdan Mieczysław Cezary Arkadiusz Waldemar Eugeniusz Roman Stefan \
     Norbert Ireneusz Czesław Adrian Lech Witold Bolesław Oskar Ignacy Leon Franciszek Błażej Jarosław Jędrzej \
     Gracjan Olaf Tymon Wacław Zenon Albert Borys Emil Ksawery Kajetan Alan Fabian Gustaw Janusz Krystian Ludwik \
     Maksymilian Bernard Sylwester Tymoteusz Wincenty Dominik Edmund Alojzy Benedykt Apoloniusz";
const POLISH_FAMILIES: &str = "Kamiński Lewandowski Kozłowski Jankowski Mazur Kwiatkowski Wojciechowski Kaczmarek Piotrowski Grabowski \
     Nowakowski Nowicki Adamczyk Dudek Zając Wieczorek Majewski Olszewski Jaworski Malinowski Pawlak Rutkowski \
     Baran Michalak Szewczyk Ostrowski Tomaszewski Pietrzak Marciniak Zalewski Jasiński Sadowski Chmielewski Duda \
     Borkowski Czarnecki Sawicki Sokołowski Urbański Kubiak Maciejewski Szczepański Kucharski Wilk Kalinowski \
     Mazurek Wysocki Adamski Kaźmierczak Sobczak Czerwiński Andrzejewski Cieślak Zakrzewski Kołodziejczyk \
     Sikorski Krajewski Gajewski Szymczak Szulc Laskowski Makowski Ziółkowski Brzeziński Przybylski Domański \
     Błaszczyk Mróz Kozak Kania Mikołajczyk Wasilewski Krupa Górecki Kaczmarczyk Leszczyński Sobolewski \
     Mielczarek Tomczak Kopeć Szczepaniak Włodarczyk Janik Kowalewski Musiał Marcinkowski Bielecki Konieczny \
     Urbaniak Polak Bednarek Markowski Barański Matuszewski Stankiewicz Bogusz Gołębiowski Muszyński \
     Rogalski Kosiński Żukowski Lipiński Stasiak Kubicki Banaś Bielak Kłos Wrona Gawron Kruk Sowa Czajka Jastrząb \
     Orzeł Szpak Dzięcioł Kos Kukułka Słowik Żuraw Bocian Czapla Łabędź Karaś Szczupak Okoń Sum Karp Leśniak \
     Jagodziński Wierzbicki Klonowski Jesionowski Brzozowski Sosnowski Świerczyński Bukowski Grabiński Lipski \
     Topolski Kalina Jarzębski Głóg Dereń Chmiel Rumianek Maślak Grzyb Borowik Rybak Kowal Młynarczyk \
     Bednarz Cieśla Garncarz Kaleta Stolarz Tkacz Krawiec Szewc Piekarz Piwowarczyk Winiarski Owczarek \
     Pastuszak Gajda Cygan Mazurkiewicz Litwin Rusin Węgrzyn Niemiec Czech Prusak Ślązak Góral Dolny \
     Wesołowski Smutny Głuch Łysy Gruby Mały Duży Wielgosz Długosz Krótki Szybki Cichy Bystry Kędzierski \
     Żelazny Złoty Srebrny Miedziński Ołowiany Stalmach Hutnik Sztygar Gwarek Skiba Rola Ugór Miedza Zagórski \
     Podgórski Nadolny Zawadzki Przybył Nowacki Starzyński Dębski Dąbek Olejniczak Musielak Ratajczak \
     Walkowiak Wawrzyniak Ignaszak Frąckowiak Szafrański Gierczak Świątek Piątek Sobota Niedziela Czwartek Środa \
     Marzec Maj Lipiec Sierpień Grudzień Wiosna Jesień Zima Mrozek Śnieg Deszcz Burza Grom Piorun Wicher \
     Trzciński Bagiński Błotnicki Jeziorski Rzepka Groch Kapusta Burak Cebula Czosnek Pietruszka Marchewka";
/// Stems of Polish names, mostly given names, and what makes family names of them.
const POLISH_STEMS: &str = "Adam Bart Bogdan Borys Dani Dawid Dobr Fili Gabr Gawr Grzel Ign Jan Jaks Jarosz Jakub Jurk Kacp Kasp Klim \
     Konrad Kub Lech Lesz Luk Mac Mar Marc Mat Micha Miko Naw Olech Pawl Piet Rad Rom Sam Stach Stef Such Szcz Szym \
     Tom Urb Wal Waw Wit Wojt Zaw Zdan Zych Bor Brod Chrost Czub Drozd Dub Fry Gaw Głow Hajd Jed Karcz Kit Klucz \
     Kraw Kuch Łuk Mal Mich Nied Ols Pęk Ryb Siem Ślus Trus Wierz Zim Żur";
const POLISH_ENDINGS: &[&str] =
    &["owski", "owicz", "czak", "ek", "iak", "ik", "ula", "ewicz", "czyński", "usz", "icki", "oń"];

const BRITISH_WOMEN: &str = "Susan Margaret Elizabeth Karen Jacqueline Christine Julie Helen Sarah Jennifer Patricia Deborah Amanda \
     Nicola Samantha Rebecca Laura Emily Jessica Katherine Victoria Louise Claire Rachel Caroline Gemma Joanne \
     Michelle Lisa Tracey Alison Angela Jane Sandra Linda Carol Janet Diane Anne Mary Barbara Jean Joan Maureen \
     Sheila Pauline Gillian Lesley Lindsay Natalie Kelly Stacey Donna Wendy Heather Holly Chloe Megan Lauren Bethany \
     Abigail Olivia Amelia Isla Ava Poppy Freya Evie Daisy Rosie Imogen Harriet Georgina Francesca Naomi Leanne \
     Kirsty Eleanor Beatrice Philippa Annabel Jemima Bronwen Catriona Fiona Morag Rhiannon Carys Niamh Aoife";
const BRITISH_MEN: &str = "David John Paul Michael Andrew Peter Robert Mark Richard Stephen Christopher Matthew Anthony Ian Kevin \
     Alan Simon Philip Martin Jonathan Nicholas Benjamin Alexander Adam Lee Graham Brian Colin Keith Barry Trevor \
     Nigel Gary Stuart Neil Darren Craig Shaun Wayne Jason Gareth Russell Timothy Patrick Geoffrey Derek Kenneth \
     Roger Raymond Dennis Leonard Victor Ronald Douglas Malcolm Duncan Angus Hamish Alistair Callum Ewan Rhys Owen \
     Dylan Ethan Jacob Noah Oscar Archie Alfie Toby Max Leo Luke Joshua Nathan Aaron Scott Ross Dominic Damian Marcus \
     Julian Adrian Rupert Hugo Miles Giles Jasper Felix Sebastian Cameron Elliot Spencer Clive Cedric Humphrey";
const BRITISH_FAMILIES: &str = "Williams Davies Johnson Roberts Robinson Thompson Wright White Edwards Hall Jackson Thomas Clark Harris \
     Lewis Patel Lee Martin Morris Moore Davis Baker King Phillips Watson Morgan James Cook Allen Parker Price \
     Anderson Khan Murphy Bell Kelly Bailey Richardson Miller Cox Collins Marshall Gray Carter Simpson Mitchell Shaw \
     Adams Ellis Richards Russell Campbell Chapman Wilkinson Webb Rogers Foster Mills Lloyd Holmes Palmer Matthews \
     Powell Hunt Ali Knight Barnes Butler Fisher Graham Stevens Jenkins Murray Dixon Pearson Mason Harvey Fletcher \
     Howard Andrews Reynolds Ford Elliott Day Saunders Payne Fox Brooks Walsh Reid Burton Ross Gibson Lane West \
     Armstrong Francis Black Hart Woods Cole Ryan Burns Grant Stewart Spencer Perry Duncan Tucker Henderson \
     Dunn Lawrence Bradley Porter Carr Hudson Barker Gardner Nicholson Crawford Freeman Wallace Potter Austin \
     Ferguson Byrne Hamilton Begum Walters Bird Hawkins Griffiths Owen Pugh Bevan Rees Gittins Probert MacDonald \
     Fraser Sinclair Buchanan Urquhart Nair Sharma Singh Kaur Ahmed Hussain Okafor Adeyemi Chowdhury Osborne Pratt \
     Sutton Holt Nash Stone Frost Winter Summers Rose Lamb Wolfe Peacock Nightingale Swann Drake Finch Sparrow";
const BRITISH_STEMS: &str = "Ash Black Brad Bram Bur Carl Chat Clif Crof Dal Den East Elm Far Ful Glad Hal Ham Hazel Hol Hur Kings Lang Law \
     Lin Long Mar Mel Mid Nor Oak Pem Rad Red Rock Sed Shel Stan Stock Strat Thorn Wal Wat West Whit Win Wool";
const BRITISH_ENDINGS: &[&str] =
    &["ford", "ton", "ley", "field", "worth", "well", "wood", "combe", "bury", "ham"];

const GERMAN_WOMEN: &str = "Ursula Monika Petra Karin Renate Brigitte Claudia Andrea Susanne Martina Gabriele Angelika Barbara \
     Christine Nicole Stefanie Julia Melanie Sandra Anja Tanja Daniela Kerstin Silke Simone Anna Maria Laura Sarah \
     Lisa Elisabeth Ingrid Helga Gisela Erika Christa Hannelore Jutta Marion Ulrike Cornelia Silvia Doris Bettina Elke \
     Gudrun Margarete Hildegard Johanna Charlotte Sophie Marie Emma Mia Leonie Paula Greta Frieda Antonia Theresa \
     Veronika Magdalena Luise Miriam Nadine Yvonne Jana Kathrin Friederike Annika Svenja Wiebke Imke Antje Maren \
     Dörte Roswitha Waltraud Irmgard Liselotte Mechthild Walburga";
const GERMAN_MEN: &str = "Peter Michael Thomas Andreas Klaus Hans Werner Manfred Helmut Bernd Frank Uwe Christian Martin Markus \
     Dieter Rainer Ralf Alexander Daniel Sebastian Tobias Jan Tim Philipp Maximilian Paul Leon Jonas Niklas Johannes \
     Simon David Moritz Julian Dominik Patrick Sven Torsten Dirk Holger Olaf Norbert Gerhard Horst Heinz Karl Heinrich \
     Friedrich Wilhelm Otto Ernst Walter Rolf Rudolf Siegfried Volker Ulrich Reinhard Joachim Ludwig Georg Franz Josef \
     Anton Emil Oskar Konrad Benedikt Valentin Vinzenz Kilian Korbinian Hendrik Malte Lars Nils Fabian Marvin Kevin \
     Marcel Rene Gregor Gunnar Detlef Eckhard Hartmut Wilfried Lothar Egon";
const GERMAN_FAMILIES: &str = "Meyer Schulz Bauer Koch Richter Klein Wolf Neumann Schwarz Zimmermann Braun Hofmann Schmitz Krause Meier \
     Lehmann Schmid Schulze Maier Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Scholz Möller Keller \
     Friedrich Schubert Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Winter Kraus \
     Martin Schumacher Vogt Stein Otto Sommer Seidel Heinrich Haas Graf Schreiber Dietrich Kuhn Pohl Engel Horn Busch \
     Bergmann Voigt Sauer Arnold Pfeiffer Wolff Beyer Ernst Lindner Hübner Kramer Franz Hahn Ott Peter Barth Günther \
     Wenzel Kirchner Schilling Riedel Böttcher Thiel Nagel Urban Kaufmann Ritter Seifert Ullrich Brückner Götz Marx \
     Kern Frey Hesse Ebert Reuter Schenk Reinhardt Bach Kopp Noack Ackermann Adler Kunze Zander Stark Rademacher \
     Wilhelm Auer Bender Dittrich Eckert Fink Gärtner Heller Jansen Kästner Löffler Moser Nowak Oswald Paulsen Quandt \
     Rösch Sturm Tietz Uhlig Vetter Wirth Yilmaz Zeller Kowalski Schäffer Jahn Kessler Brinkmann Thomsen Petersen \
     Hansen Nissen Feddersen Öztürk Demir Kaya Ivanov Popov Rossi";
const GERMAN_STEMS: &str = "Alt Acker Bach Berg Birn Brand Brunn Buch Dorn Eber Eich Feld Frei Grün Hage Hinter Holz Kalt Kirch Klee Korn \
     Lind Mittel Moos Neu Nieder Ober Oster Reh Rein Sand Schön Stadel Stein Stroh Tann Tiefen Wald Wein Wiesen";
const GERMAN_ENDINGS: &[&str] =
    &["mann", "meier", "bauer", "huber", "berger", "hofer", "brink", "kamp", "haus"];

/// What colleagues call people of a given name, and what those people type into forms.
const NICKNAMES: &[(&str, &[&str])] = &[
    ("Agnieszka", &["Aga"]),
    ("Aleksander", &["Olek", "Alek"]),
    ("Aleksandra", &["Ola"]),
    ("Andrzej", &["Jędrek"]),
    ("Anna", &["Ania", "Anka"]),
    ("Antoni", &["Antek"]),
    ("Barbara", &["Basia"]),
    ("Bartłomiej", &["Bartek"]),
    ("Elżbieta", &["Ela"]),
    ("Grzegorz", &["Grzesiek", "Grzesiu"]),
    ("Jakub", &["Kuba"]),
    ("Jan", &["Janek"]),
    ("Joanna", &["Asia"]),
    ("Józef", &["Józek"]),
    ("Katarzyna", &["Kasia"]),
    ("Krzysztof", &["Krzysiek", "Krzyś"]),
    ("Magdalena", &["Magda"]),
    ("Małgorzata", &["Gosia", "Małgosia"]),
    ("Maria", &["Marysia"]),
    ("Michał", &["Misiek"]),
    ("Piotr", &["Piotrek"]),
    ("Stanisław", &["Staszek"]),
    ("Tadeusz", &["Tadek"]),
    ("Tomasz", &["Tomek"]),
    ("Wojciech", &["Wojtek"]),
    ("Zbigniew", &["Zbyszek"]),
    ("Zofia", &["Zosia"]),
    ("Alexander", &["Alex"]),
    ("Andrew", &["Andy", "Drew"]),
    ("Anthony", &["Tony"]),
    ("Benjamin", &["Ben"]),
    ("Christopher", &["Chris"]),
    ("Daniel", &["Dan", "Danny"]),
    ("Deborah", &["Debbie"]),
    ("Edward", &["Ed", "Ted"]),
    ("Elizabeth", &["Liz", "Beth", "Betty"]),
    ("James", &["Jim", "Jamie"]),
    ("Jennifer", &["Jen", "Jenny"]),
    ("Joseph", &["Joe"]),
    ("Katherine", &["Kate", "Kathy"]),
    ("Margaret", &["Maggie", "Peggy"]),
    ("Matthew", &["Matt"]),
    ("Michael", &["Mike", "Mick"]),
    ("Nicholas", &["Nick"]),
    ("Patricia", &["Pat", "Trish"]),
    ("Richard", &["Dick", "Rick", "Rich"]),
    ("Robert", &["Bob", "Rob", "Bobby"]),
    ("Samuel", &["Sam"]),
    ("Stephen", &["Steve"]),
    ("Susan", &["Sue"]),
    ("Thomas", &["Tom"]),
    ("William", &["Bill", "Will"]),
    ("Elisabeth", &["Lisa"]),
    ("Johannes", &["Hans"]),
    ("Katharina", &["Kathi"]),
    ("Maximilian", &["Max"]),
    ("Sebastian", &["Basti"]),
];

/// Everybody's names, by country.
pub struct Pools {
    by_country: [CountryPool; 3],
}

struct CountryPool {
    women: Vec<&'static str>,
    men: Vec<&'static str>,
    families: Vec<String>,
}

impl Pools {
    /// Puts the lists together.
    pub fn new() -> Self {
        let poland = CountryPool {
            women: listed(names::POLISH_WOMEN, POLISH_WOMEN),
            men: listed(names::POLISH_MEN, POLISH_MEN),
            families: families(
                &names::POLISH_FAMILIES.iter().map(|(man, _)| *man).collect::<Vec<_>>(),
                POLISH_FAMILIES,
                POLISH_STEMS,
                POLISH_ENDINGS,
            ),
        };
        let britain = CountryPool {
            women: listed(&[], BRITISH_WOMEN),
            men: listed(&[], BRITISH_MEN),
            families: families(
                names::ENGLISH_FAMILIES,
                BRITISH_FAMILIES,
                BRITISH_STEMS,
                BRITISH_ENDINGS,
            ),
        };
        let germany = CountryPool {
            women: listed(&[], GERMAN_WOMEN),
            men: listed(&[], GERMAN_MEN),
            families: families(
                names::GERMAN_FAMILIES,
                GERMAN_FAMILIES,
                GERMAN_STEMS,
                GERMAN_ENDINGS,
            ),
        };
        Self { by_country: [poland, britain, germany] }
    }

    fn of(&self, country: Country) -> &CountryPool {
        &self.by_country[match country {
            Country::Poland => 0,
            Country::UnitedKingdom => 1,
            Country::Germany => 2,
        }]
    }

    /// Returns a given name; the front of the list comes up most.
    pub fn given(&self, country: Country, is_woman: bool, random: &mut Random) -> &'static str {
        let pool = self.of(country);
        let list = if is_woman { &pool.women } else { &pool.men };
        list[place(random, list.len(), |share| share * share)]
    }

    /// Returns a family name as a man bears it; a few are very common and most are rare.
    pub fn family(&self, country: Country, random: &mut Random) -> &str {
        let list = &self.of(country).families;
        // Only operations that every processor rounds alike, or a seed would not be the same world everywhere.
        &list[place(random, list.len(), |share| share * share * share.sqrt())]
    }
}

/// Returns the form of a family name that a woman of the country bears.
pub fn borne_by_woman(family: &str, country: Country) -> String {
    let is_adjective = country == Country::Poland
        && ["ski", "cki", "dzki"].iter().any(|ending| family.ends_with(ending));
    if is_adjective { format!("{}a", &family[..family.len() - 1]) } else { family.to_owned() }
}

/// Returns the short forms of a given name, none for most.
pub fn nicknames(given: &str) -> &'static [&'static str] {
    NICKNAMES.iter().find(|(full, _)| *full == given).map_or(&[], |(_, short)| short)
}

/// Returns a place in a list of `length`, by a curve from a uniform share to a skewed one.
fn place(random: &mut Random, length: usize, curve: fn(f64) -> f64) -> usize {
    // 53 bits are what a double holds, so the division is exact.
    let share = (random.draw() >> 11) as f64 / (1_u64 << 53) as f64;
    ((curve(share) * length as f64) as usize).min(length - 1)
}

fn listed(first: &[&'static str], then: &'static str) -> Vec<&'static str> {
    first.iter().copied().chain(then.split_whitespace()).collect()
}

fn families(first: &[&str], then: &str, stems: &str, endings: &[&str]) -> Vec<String> {
    let mut list: Vec<String> =
        first.iter().copied().chain(then.split_whitespace()).map(str::to_owned).collect();
    for ending in endings {
        list.extend(stems.split_whitespace().map(|stem| format!("{stem}{ending}")));
    }
    list
}
