"""The challenges that exist, by number, without end: the first 154 have titles of their own, later ones are sequels."""

import functools
from dataclasses import dataclass
from typing import Any

TITLES = {
    "crypto": (
        "Caesar's Lunch", "Two Time Pad", "Small Exponent", "Padding Season", "Vigenère in the Attic", "Shared Prime",
        "Hash Browns", "Lattice Work", "Nonce Again", "Curve Ball", "Block Party", "Substitute Teacher", "Salt Mine",
        "Oracle at Noon",
    ),
    "recon": (
        "Open Door Policy", "Robots Only", "Zone Transfer", "Banner Day", "Port Call", "Lost Subdomain",
        "Cert Watching", "Quiet Scan", "Archive Diver", "Header Hunter", "Lighthouse Keeper", "Old Backup", "Ping Pong",
        "Way Back When",
    ),
    "forensics": (
        "Packet Soup", "Deleted Scenes", "Memory Lane", "EXIF Marks the Spot", "Carved in Stone", "Registry Office",
        "Timeline Tangle", "USB Trail", "Shadow Copy", "Log Jam", "Broken Archive", "Thumbnail Sketch", "Slack Space",
        "Browser Crumbs",
    ),
    "osint": (
        "Where Was This Taken", "The Missing Ferry", "Postcard Home", "Forgotten Blog", "Street Signs", "Tail Number",
        "Skyline", "Second Account", "Menu of the Day", "Bird Watcher", "Bus Stop", "Library Card", "Sun and Shadow",
        "Conference Badge",
    ),
    "social": (
        "Urgent Invoice", "Tailgate", "Help Desk Hero", "Too Good a Prize", "Spot the Phish", "Friendly Stranger",
        "Password Reset, Please", "The New Intern", "Gift Card Rush", "Caller Unknown", "Look Over There",
        "Badge Story", "Sticky Note", "Trust Fall",
    ),
    "web": (
        "Cookie Jar", "Union Station", "Script Kitty", "Path Less Travelled", "Hidden Field", "Template Trouble",
        "Token of Trust", "Upload Day", "Race to Checkout", "Blind Date", "Frame Job", "Header Games",
        "Admin Eyes Only", "Server Side Story",
    ),
    "os": (
        "Permission Slip", "Cron Job Interview", "Path Finder", "Set User Id", "Group Project", "Shell Collection",
        "Hidden Process", "Mount Up", "Service Desk", "Environmental Studies", "Symbolic Gesture", "Scheduled Task",
        "Sudo Coup", "Boot Camp",
    ),
    "reversing": (
        "Strings Attached", "Jump Street", "Packed Lunch", "License to Run", "Bytecode Blues", "Flag Checker",
        "Anti-Debugger", "Obfuscated Opera", "Loop Unrolled", "Virtual Machine", "Key Generator", "Switch Case",
        "Stack of Cards", "Little Endian",
    ),
    "binary": (
        "Overflowing", "Format Matters", "Return to Sender", "Canary in the Mine", "Heap of Trouble", "Off by One",
        "Use After Freeze", "Rope Bridge", "Shellcode Café", "Integer Parade", "Double Free Coffee", "Global Offset",
        "Sandbox Escape", "Libc Lottery",
    ),
    "misc": (
        "QR Mosaic", "Emoji Speak", "Morse at Midnight", "Sanity Check", "Regex Golf", "Music Box", "Bit by Bit",
        "Chess Problem", "Broken Keyboard", "Zip in a Zip", "Pixel Peeper", "Dial Tone", "Barcode Scanner",
        "Encoding Onion",
    ),
    "other": (
        "Policy Quiz", "Incident Report", "Risk Register", "Ethics Hour", "Blue Team Basics", "Firewall Rules",
        "Tabletop Night", "Backup Plan", "Threat Model", "Patch Tuesday", "Career Day", "Subnet Sudoku",
        "Hardware Tour", "Guest Lecture",
    ),
}
LABELS = {
    "crypto": ("Cryptography", "crypto", "Cryptography"), "recon": ("Reconnaissance", "Recon"),
    "forensics": ("Forensics", "forensics"), "osint": ("OSINT", "osint"), "social": ("Social", "Social Engineering"),
    "web": ("Web Exploitation", "Webex", "web"), "os": ("Operating Systems", "os"),
    "reversing": ("Reverse Engineering", "reven"), "binary": ("Binary Exploitation", "binexp"),
    "misc": ("Miscellaneous", "misc"), "other": ("Other", "other"),
}
ROLES = {
    "crypto": ("Cryptanalyst", "Secure Software Developer"), "recon": ("Vulnerability Assessment Analyst",),
    "forensics": ("Cyber Defense Forensics Analyst", "Cyber Defense Incident Responder"),
    "osint": ("All-Source Analyst", "Target Developer"), "social": ("Cyber Instructor",),
    "web": ("Secure Software Assessor", "Exploitation Analyst"), "os": ("System Administrator",),
    "reversing": ("Cyber Defense Forensics Analyst", "Software Developer"), "binary": ("Exploitation Analyst",),
    "misc": (), "other": ("Cyber Policy and Strategy Planner",),
}
TOPICS = tuple(TITLES)
TITLES_EACH = 14
LAUNCHED = len(TOPICS) * TITLES_EACH
POINTS = (50, 100, 100, 150, 200, 200, 250, 300, 400, 500)
FLASH_CTF_CHALLENGES = 10


@dataclass(frozen=True)
class Challenge:
    id: int
    title: str
    points: int
    topic: str
    label: str
    is_retired: bool

    def solve(self, solve_id: int, at: int) -> dict[str, Any]:
        """One solve of it, as the platform tells it."""
        return {
            "challenge_solve_id": solve_id, "challenge_id": self.id, "challenge_title": self.title,
            "challenge_points": self.points, "challenge_category": self.label, "timestamp_unix": at,
            "challenge_retired": self.is_retired, "nist_nice_work_roles": list(ROLES[self.topic]),
        }


@functools.cache
def challenge(number: int) -> Challenge:
    """Number 1 and up: easy ones of every topic first."""
    edition, index = divmod(number - 1, LAUNCHED)
    level, place = divmod(index, len(TOPICS))
    topic = TOPICS[place]
    title = TITLES[topic][level] + (f" {edition + 1}" if edition else "")
    points = POINTS[min(level * len(POINTS) // TITLES_EACH + number % 3, len(POINTS) - 1)]
    return Challenge(number, title, points, topic, LABELS[topic][number % len(LABELS[topic])], number % 13 == 0)


@functools.cache
def flash_ctf_challenges(edition: int) -> tuple[Challenge, ...]:
    """The ten challenges of one Flash CTF, which are not offered on demand."""
    return tuple(
        Challenge(
            id=10_000 + 100 * edition + place,
            title=f"{TITLES[topic][(edition * 3 + place) % TITLES_EACH]}, Live",
            points=POINTS[place],
            topic=topic,
            label=LABELS[topic][edition % len(LABELS[topic])],
            is_retired=False,
        )
        for place, topic in ((place, TOPICS[(edition + place) % len(TOPICS)]) for place in range(FLASH_CTF_CHALLENGES))
    )
