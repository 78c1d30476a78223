"""What a PDF says of the invoice for machines that it carries, as Factur-X and ZUGFeRD ask it to (1.0, 6.2.2 XMP).

It is written behind the printed file, as an update that leaves every byte of it as it was.
"""

from __future__ import annotations

import io

from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject

NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
SAID = {
    "DocumentFileName": ("factur-x.xml", "The name of the embedded XML document"),
    "DocumentType": ("INVOICE", "The type of the hybrid document"),
    "Version": ("1.0", "The version of the standard of the embedded XML document"),
    "ConformanceLevel": ("EN 16931", "The conformance level of the embedded XML document"),
}
"""Each property with its value and what it means."""
SCHEMAS_END, ALL_END = "</rdf:Bag></pdfaExtension:schemas>", "</rdf:Description></rdf:RDF>"


def marked(pdf: bytes) -> bytes:
    """The PDF, saying which invoice for machines it carries; ValueError, TypeError where its words are odd."""
    writer = PdfWriter(io.BytesIO(pdf), incremental=True)
    kept = writer.root_object["/Metadata"].get_object()
    if not isinstance(kept, DecodedStreamObject):
        raise TypeError("The metadata of the PDF is packed.")
    kept.set_data(_told(kept.get_data().decode()).encode())
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def _told(words: str) -> str:
    """The metadata with what is said of the invoice, and what those words mean."""
    for end, more in ((SCHEMAS_END, _schema()), (ALL_END, _properties())):
        if words.count(end) != 1:
            raise ValueError("The metadata of the PDF is not as it used to be.")
        words = words.replace(end, more + end)
    return words


def _properties() -> str:
    """What is said."""
    return "".join(f'<fx:{name} xmlns:fx="{NAMESPACE}">{value}</fx:{name}>' for name, (value, _) in SAID.items())


def _schema() -> str:
    """What the words mean, as PDF/A wants of words that it does not know (ISO 19005-3, 6.6.2.3)."""
    properties = "".join(
        '<rdf:li rdf:parseType="Resource"><pdfaProperty:category>external</pdfaProperty:category>'
        f"<pdfaProperty:description>{meaning}</pdfaProperty:description><pdfaProperty:name>{name}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType></rdf:li>"
        for name, (_, meaning) in SAID.items()
    )
    return (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
