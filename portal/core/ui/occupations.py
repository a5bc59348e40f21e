"""Industries and professions with an icon of their own each, by which a child finds them again on every page.

Industries are the sections of ISIC Rev. 4; the professions are those a pupil of Kazakhstan meets or will meet. What
Qabilet knows of each (outlook, skills, courses) is its catalogue's; here is how they look and what they are called.
"""

from __future__ import annotations

import msgspec


class Occupation(msgspec.Struct, frozen=True):
    """An industry, or a profession within one."""

    code: str
    icon: str
    kk: str
    ru: str
    en: str
    industry: str = ""

    @property
    def name(self) -> dict[str, str]:
        """In three languages, for `of`."""
        return {"kk": self.kk, "ru": self.ru, "en": self.en}


def _industry(code: str, icon: str, kk: str, ru: str, en: str) -> Occupation:
    return Occupation(code, icon, kk, ru, en)


INDUSTRIES: tuple[Occupation, ...] = (
    _industry(
        "A",
        "wheat",
        "Ауыл, орман және балық шаруашылығы",
        "Сельское, лесное и рыбное хозяйство",
        "Agriculture, forestry and fishing",
    ),
    _industry("B", "pickaxe", "Тау-кен өндіру", "Добыча полезных ископаемых", "Mining and quarrying"),
    _industry("C", "factory", "Өңдеу өнеркәсібі", "Обрабатывающая промышленность", "Manufacturing"),
    _industry("D", "zap", "Электрмен және жылумен жабдықтау", "Электро- и теплоснабжение", "Electricity and heat"),
    _industry("E", "recycle", "Сумен жабдықтау және қалдықтар", "Водоснабжение и отходы", "Water supply and waste"),
    _industry("F", "construction", "Құрылыс", "Строительство", "Construction"),
    _industry("G", "shopping-cart", "Сауда", "Торговля", "Trade"),
    _industry("H", "truck", "Көлік және қоймалау", "Транспорт и складирование", "Transport and storage"),
    _industry("I", "hotel", "Тұру және тамақтану", "Проживание и питание", "Accommodation and food"),
    _industry("J", "radio-tower", "Ақпарат және байланыс", "Информация и связь", "Information and communication"),
    _industry("K", "landmark", "Қаржы және сақтандыру", "Финансы и страхование", "Finance and insurance"),
    _industry("L", "building-2", "Жылжымайтын мүлік", "Недвижимость", "Real estate"),
    _industry(
        "M",
        "microscope",
        "Ғылым және кәсіби қызмет",
        "Наука и профессиональная деятельность",
        "Science and professional services",
    ),
    _industry(
        "N",
        "briefcase",
        "Әкімшілік және қосалқы қызмет",
        "Административные и вспомогательные услуги",
        "Administrative and support services",
    ),
    _industry(
        "O",
        "flag",
        "Мемлекеттік басқару және қорғаныс",
        "Государственное управление и оборона",
        "Public administration and defence",
    ),
    _industry("P", "graduation-cap", "Білім беру", "Образование", "Education"),
    _industry(
        "Q",
        "heart-pulse",
        "Денсаулық сақтау және әлеуметтік қызмет",
        "Здравоохранение и социальные услуги",
        "Health and social work",
    ),
    _industry("R", "palette", "Өнер, спорт және демалыс", "Искусство, спорт и отдых", "Arts, sport and recreation"),
    _industry("S", "scissors", "Өзге қызметтер", "Прочие услуги", "Other services"),
    _industry("T", "home", "Үй шаруашылығы", "Домашнее хозяйство", "Households"),
    _industry("U", "globe", "Халықаралық ұйымдар", "Международные организации", "International organisations"),
)

PROFESSIONS: tuple[Occupation, ...] = (
    Occupation("farmer", "tractor", "фермер", "фермер", "farmer", "A"),
    Occupation("agronomist", "sprout", "агроном", "агроном", "agronomist", "A"),
    Occupation("livestock-breeder", "milk", "мал өсіруші", "животновод", "livestock breeder", "A"),
    Occupation("veterinarian", "paw-print", "ветеринар", "ветеринар", "veterinarian", "A"),
    Occupation("forester", "trees", "орманшы", "лесник", "forester", "A"),
    Occupation("fish-farmer", "fish", "балық өсіруші", "рыбовод", "fish farmer", "A"),
    Occupation("beekeeper", "flower", "ара өсіруші", "пчеловод", "beekeeper", "A"),
    Occupation("gardener", "apple", "бағбан", "садовод", "fruit grower", "A"),
    Occupation("geologist", "mountain", "геолог", "геолог", "geologist", "B"),
    Occupation("oil-engineer", "fuel", "мұнайшы инженер", "инженер-нефтяник", "petroleum engineer", "B"),
    Occupation("mine-surveyor", "compass", "маркшейдер", "маркшейдер", "mine surveyor", "B"),
    Occupation("metallurgist", "anvil", "металлург", "металлург", "metallurgist", "C"),
    Occupation("welder", "flame", "дәнекерлеуші", "сварщик", "welder", "C"),
    Occupation("mechanical-engineer", "cog", "инженер-механик", "инженер-механик", "mechanical engineer", "C"),
    Occupation("robotics-engineer", "bot", "робототехник инженер", "инженер-робототехник", "robotics engineer", "C"),
    Occupation(
        "food-technologist", "croissant", "тамақ технологы", "технолог пищевого производства", "food technologist", "C"
    ),
    Occupation("fashion-designer", "shirt", "киім дизайнері", "дизайнер одежды", "fashion designer", "C"),
    Occupation("joiner", "armchair", "ағаш шебері", "столяр", "joiner", "C"),
    Occupation("jeweller", "gem", "зергер", "ювелир", "jeweller", "C"),
    Occupation("power-engineer", "plug", "энергетик инженер", "инженер-энергетик", "power engineer", "D"),
    Occupation(
        "solar-technician", "sun", "күн энергиясы технигі", "техник солнечной энергетики", "solar technician", "D"
    ),
    Occupation(
        "wind-technician", "wind", "жел энергиясы технигі", "техник ветроэнергетики", "wind turbine technician", "D"
    ),
    Occupation(
        "battery-engineer",
        "battery-charging",
        "энергия жинақтау инженері",
        "инженер накопителей энергии",
        "energy storage engineer",
        "D",
    ),
    Occupation(
        "water-engineer", "droplets", "су ресурстары инженері", "инженер водных ресурсов", "water engineer", "E"
    ),
    Occupation("ecologist", "leaf", "эколог", "эколог", "ecologist", "E"),
    Occupation("builder", "hard-hat", "құрылысшы", "строитель", "builder", "F"),
    Occupation("architect", "drafting-compass", "сәулетші", "архитектор", "architect", "F"),
    Occupation(
        "bridge-engineer",
        "bridge",
        "жол және көпір инженері",
        "инженер дорог и мостов",
        "road and bridge engineer",
        "F",
    ),
    Occupation("painter", "paint-roller", "әрлеуші", "отделочник", "decorator", "F"),
    Occupation("electrician", "cable", "электрик", "электрик", "electrician", "F"),
    Occupation("plumber", "wrench", "сантехник", "сантехник", "plumber", "F"),
    Occupation("shop-owner", "store", "кәсіпкер", "предприниматель", "entrepreneur", "G"),
    Occupation("marketer", "megaphone", "маркетолог", "маркетолог", "marketer", "G"),
    Occupation("logistician", "package", "логист", "логист", "logistician", "H"),
    Occupation(
        "warehouse-engineer",
        "warehouse",
        "ақылды қойма инженері",
        "инженер умного склада",
        "smart warehouse engineer",
        "H",
    ),
    Occupation("train-driver", "train", "машинист", "машинист", "train driver", "H"),
    Occupation("pilot", "plane", "ұшқыш", "лётчик", "pilot", "H"),
    Occupation(
        "air-controller", "tower-control", "әуе қозғалысы диспетчері", "авиадиспетчер", "air traffic controller", "H"
    ),
    Occupation("seafarer", "ship", "теңізші", "моряк", "seafarer", "H"),
    Occupation("bus-driver", "bus", "жүргізуші", "водитель", "driver", "H"),
    Occupation("car-mechanic", "car", "автомеханик", "автомеханик", "car mechanic", "H"),
    Occupation("cook", "chef-hat", "аспаз", "повар", "cook", "I"),
    Occupation("guide", "tent", "туризм гиді", "гид", "tour guide", "I"),
    Occupation("programmer", "code", "бағдарламашы", "программист", "programmer", "J"),
    Occupation("data-analyst", "chart-line", "деректер талдаушысы", "аналитик данных", "data analyst", "J"),
    Occupation(
        "ai-engineer", "brain", "жасанды интеллект инженері", "инженер искусственного интеллекта", "AI engineer", "J"
    ),
    Occupation(
        "security-analyst",
        "fingerprint",
        "киберқауіпсіздік маманы",
        "специалист по кибербезопасности",
        "cyber security analyst",
        "J",
    ),
    Occupation("network-engineer", "network", "желі инженері", "сетевой инженер", "network engineer", "J"),
    Occupation(
        "system-administrator",
        "server",
        "жүйелік администратор",
        "системный администратор",
        "system administrator",
        "J",
    ),
    Occupation("game-designer", "gamepad-2", "ойын дизайнері", "геймдизайнер", "game designer", "J"),
    Occupation(
        "ux-designer", "monitor-smartphone", "интерфейс дизайнері", "дизайнер интерфейсов", "interface designer", "J"
    ),
    Occupation("journalist", "newspaper", "журналист", "журналист", "journalist", "J"),
    Occupation("camera-operator", "video", "оператор", "оператор", "camera operator", "J"),
    Occupation("accountant", "calculator", "бухгалтер", "бухгалтер", "accountant", "K"),
    Occupation("banker", "banknote", "банк қызметкері", "банковский работник", "banker", "K"),
    Occupation("actuary", "sigma", "актуарий", "актуарий", "actuary", "K"),
    Occupation("property-manager", "building", "үй басқарушы", "управляющий недвижимостью", "property manager", "L"),
    Occupation("scientist", "flask-conical", "ғалым-химик", "учёный-химик", "chemist", "M"),
    Occupation("physicist", "atom", "физик", "физик", "physicist", "M"),
    Occupation("biotechnologist", "dna", "биотехнолог", "биотехнолог", "biotechnologist", "M"),
    Occupation("astronomer", "telescope", "астроном", "астроном", "astronomer", "M"),
    Occupation("space-engineer", "rocket", "ғарыш инженері", "инженер космической техники", "space engineer", "M"),
    Occupation(
        "satellite-analyst",
        "satellite",
        "жерсерік деректері маманы",
        "специалист по спутниковым данным",
        "satellite data analyst",
        "M",
    ),
    Occupation("lawyer", "scale", "заңгер", "юрист", "lawyer", "M"),
    Occupation("translator", "languages", "аудармашы", "переводчик", "translator", "M"),
    Occupation("historian", "hourglass", "тарихшы", "историк", "historian", "M"),
    Occupation("cartographer", "map", "картограф", "картограф", "cartographer", "M"),
    Occupation("recruiter", "handshake", "кадр маманы", "специалист по кадрам", "recruiter", "N"),
    Occupation(
        "call-operator",
        "headphones",
        "байланыс орталығы маманы",
        "специалист контакт-центра",
        "contact centre specialist",
        "N",
    ),
    Occupation("judge", "gavel", "судья", "судья", "judge", "O"),
    Occupation("police-officer", "siren", "полиция қызметкері", "полицейский", "police officer", "O"),
    Occupation("firefighter", "axe", "өрт сөндіруші", "пожарный", "firefighter", "O"),
    Occupation("serviceman", "medal", "әскери қызметкер", "военнослужащий", "serviceman", "O"),
    Occupation("teacher", "presentation", "мұғалім", "учитель", "teacher", "P"),
    Occupation("kindergarten-teacher", "baby", "тәрбиеші", "воспитатель", "kindergarten teacher", "P"),
    Occupation("psychologist", "speech", "психолог", "психолог", "psychologist", "P"),
    Occupation("librarian", "library", "кітапханашы", "библиотекарь", "librarian", "P"),
    Occupation("doctor", "stethoscope", "дәрігер", "врач", "doctor", "Q"),
    Occupation("nurse", "syringe", "мейіргер", "медсестра (медбрат)", "nurse", "Q"),
    Occupation("pharmacist", "pill", "фармацевт", "фармацевт", "pharmacist", "Q"),
    Occupation("surgeon", "bone", "хирург", "хирург", "surgeon", "Q"),
    Occupation("optometrist", "glasses", "офтальмолог", "офтальмолог", "eye doctor", "Q"),
    Occupation("laboratory-doctor", "test-tube", "зертханашы дәрігер", "врач-лаборант", "laboratory doctor", "Q"),
    Occupation("social-worker", "hand-heart", "әлеуметтік қызметкер", "социальный работник", "social worker", "Q"),
    Occupation("rehabilitation", "accessibility", "оңалту маманы", "реабилитолог", "rehabilitation specialist", "Q"),
    Occupation("musician", "music", "музыкант", "музыкант", "musician", "R"),
    Occupation("singer", "mic", "әнші", "певец (певица)", "singer", "R"),
    Occupation("actor", "drama", "актёр", "актёр", "actor", "R"),
    Occupation("artist", "brush", "суретші", "художник", "artist", "R"),
    Occupation("graphic-designer", "pen-tool", "графикалық дизайнер", "графический дизайнер", "graphic designer", "R"),
    Occupation("photographer", "camera", "фотограф", "фотограф", "photographer", "R"),
    Occupation("coach", "dumbbell", "жаттықтырушы", "тренер", "coach", "R"),
    Occupation("athlete", "volleyball", "спортшы", "спортсмен", "athlete", "R"),
    Occupation("hairdresser", "ribbon", "шаштараз", "парикмахер", "hairdresser", "S"),
    Occupation(
        "phone-repairer",
        "circuit-board",
        "электроника жөндеуші",
        "мастер по ремонту электроники",
        "electronics repairer",
        "S",
    ),
    Occupation("diplomat", "ticket", "дипломат", "дипломат", "diplomat", "U"),
)
BY_CODE = {one.code: one for one in (*INDUSTRIES, *PROFESSIONS)}
