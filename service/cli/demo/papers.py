"""The papers of the demo: drawn afresh on each run, or taken from a folder of the user's.

Labels and sensitivities of a user's papers are dealt out in turn: the demo cannot know what they are, and needs some of
each kind to show what each role may hold.
"""

from __future__ import annotations

import hashlib
import io
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final

from docx import Document
from docx.oxml import OxmlElement
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import LETTER
from reportlab.pdfgen.canvas import Canvas

from service.errors import BadInputError

PDF: Final = "application/pdf"
PNG: Final = "image/png"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
READABLE: Final = "readable"
SAID: Final = "I stood at the crossing when the other car hit mine from behind."
TAKEN_OUT: Final = " I was looking at my telephone."
PUT_IN: Final = " I had stood there for some time."

_DEALT: Final = (
    ("court_filing", "confidential"),
    ("correspondence", "routine"),
    ("discovery", "privileged"),
    ("internal_note", "attorney_only"),
    ("pleading", "confidential"),
    ("police_report", "confidential"),
    ("exhibit", "routine"),
)


@dataclass(frozen=True, slots=True)
class Paper:
    """A file, and what the attorney says about it."""

    title: str
    media_type: str
    content: bytes
    label: str
    sensitivity: str
    condition: str | None = None  # what it must be found to be; None: whatever it is

    @property
    def sha256(self) -> str:
        """Hex digest of the content."""
        return hashlib.sha256(self.content).hexdigest()


def of_folder(folder: Path) -> list[Paper]:
    """Read every file of a folder.

    Raises:
        BadInputError: there is no such folder, or it holds no file.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    if not files:
        raise BadInputError("--docs: name a folder that holds files.")
    return [
        Paper(path.name, mimetypes.guess_type(path.name)[0] or "application/octet-stream", path.read_bytes(), *said)
        for path, said in zip(files, cycle(_DEALT), strict=False)
    ]


def contact_sheet() -> Paper:
    """The one paper that everybody needs on the first day."""
    lines = ("Clients of this engagement", "Maria Delgado, 555-0141, mornings", "P. Hartmann's executor, 555-0177")
    return Paper("Contact sheet.pdf", PDF, _pdf([lines]), "contact_sheet", "routine", READABLE)


def brought_in() -> Paper:
    """What a client sends a photo of."""
    return Paper(
        "Passport, photographed.png", PNG, _scan("PASSPORT", "DELGADO, MARIA"), "identification", "confidential"
    )


def clinics_letter() -> Paper:
    """What the clinic writes in the middle of the work."""
    lines = ("Northside Clinic", "Which records of Ms Delgado do you want, and of when?", "Records office, 555-0163")
    return Paper("Letter of the clinic.pdf", PDF, _pdf([lines]), "correspondence", "confidential", READABLE)


def of_insurer(title: str, sensitivity: str = "confidential") -> Paper:
    """What comes from the driver's insurer, or is written about it."""
    lines = ("Pine Mutual Insurance", title, "Claim 77-20931, M. Delgado")
    return Paper(f"{title}.pdf", PDF, _pdf([lines]), "insurance", sensitivity, READABLE)


def of_other_client() -> Paper:
    """What belongs to the other matter, and is put into the wrong one."""
    lines = ("Estate of Paul Hartmann", "Inventory: house, two accounts, a boat", "For the executor alone")
    return Paper("Inventory of the estate.pdf", PDF, _pdf([lines]), "correspondence", "confidential", READABLE)


def marked_up() -> Paper:
    """What a client wrote in Word with changes tracked: a sentence that she took out is still in the file."""
    document = Document()
    document.core_properties.author = ""
    document.add_paragraph(SAID)
    written = document.element.body.p_lst[-1]
    for change, kind, words in (("w:del", "w:delText", TAKEN_OUT), ("w:ins", "w:t", PUT_IN)):
        tracked, run, text = OxmlElement(change), OxmlElement("w:r"), OxmlElement(kind)
        text.text = words
        run.append(text)
        tracked.append(run)
        written.append(tracked)
    out = io.BytesIO()
    document.save(out)
    return Paper("Statement to the insurer.docx", DOCX, out.getvalue(), "insurance", "confidential", READABLE)


def draft(sentence: str) -> Paper:
    """What a member drafts as an answer."""
    lines = ("To Northside Clinic, records office", sentence, "Yours, D. Whitfield")
    return Paper("Answer to the clinic.pdf", PDF, _pdf([lines]), "correspondence", "confidential", READABLE)


def drawn() -> list[Paper]:
    """Draw the demo's own papers."""
    letter = _pdf([("Dear Sir or Madam,", "we represent Ms Delgado in the matter of 3 March.", "Yours, D. Whitfield")])
    medical = _pdf(
        [(f"Visit {n}", "Pain on rotation of the left shoulder.", "Follow-up in two weeks.") for n in (1, 2, 3)]
    )
    scene = _pdf([], images=[_scan("EXHIBIT 4", "Corner of Pine and 3rd, 07:52")])
    return [
        Paper("Intake form.pdf", PDF, _form(), "intake_form", "confidential", READABLE),
        Paper("Police report 31-0442.pdf", PDF, _report(), "police_report", "confidential", READABLE),
        Paper("Letter to the insurer.pdf", PDF, letter, "correspondence", "routine", READABLE),
        Paper("Medical records.pdf", PDF, medical, "medical_record", "privileged", READABLE),
        Paper("Deposition outline.pdf", PDF, _outline(), "discovery", "privileged", READABLE),
        Paper("Strategy.docx", DOCX, _memo(), "internal_note", "attorney_only", READABLE),
        Paper("Driver's licence, scanned.png", PNG, _scan("LICENSE", "DELGADO M"), "identification", "confidential"),
        Paper("Accident scene, scanned.pdf", PDF, scene, "exhibit", "confidential", READABLE),
        Paper("Fax of 4 March, cut off.pdf", PDF, letter[: len(letter) // 3], "other", "routine", "unreadable"),
    ]


def _form() -> bytes:
    return _pdf([("Intake form", "Name: Maria Delgado", "Born: 14 May 1987", "What happened: rear-end collision")])


def _report() -> bytes:
    first = ("Police report 31-0442", "3 March, 07:52, Pine and 3rd", "Vehicle 2 struck vehicle 1 from behind.")
    return _pdf([first, ("Statements", "Driver 2: the sun stood low.", "Witness: brake lights were on.")])


def _outline() -> bytes:
    return _pdf(
        [("Deposition of driver 2", "Speed before the crossing", "Telephone records"), ("Open questions", "Sun?")]
    )


def _pdf(pages: Sequence[Sequence[str]], images: Sequence[bytes] = ()) -> bytes:
    """Write a PDF: pages of lines of text, then a page for each image."""
    out = io.BytesIO()
    # Without a date in it, the same paper has the same SHA-256 on every run.
    canvas = Canvas(out, pagesize=LETTER, invariant=1)
    for lines in pages:
        text = canvas.beginText(72, 700)
        for line in lines:
            text.textLine(line)
        canvas.drawText(text)
        canvas.showPage()
    for image in images:
        canvas.drawInlineImage(Image.open(io.BytesIO(image)), 72, 300, width=468, height=312)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _scan(heading: str, line: str) -> bytes:
    """Draw what a scanner would deliver: text that is only pixels, a little askew."""
    page = Image.new("L", (900, 600), 244)
    draw = ImageDraw.Draw(page)
    draw.rectangle((30, 30, 870, 570), outline=90, width=4)
    draw.text((80, 120), heading, fill=40, font=ImageFont.load_default(64))
    draw.text((80, 320), line, fill=40, font=ImageFont.load_default(44))
    out = io.BytesIO()
    page.rotate(1.4, fillcolor=230).save(out, "PNG")
    return out.getvalue()


def _memo() -> bytes:
    document = Document()
    document.add_heading("Strategy", level=1)
    document.add_paragraph("We open high: liability is clear, and the first offer will come before the deposition.")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
