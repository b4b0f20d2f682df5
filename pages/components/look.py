"""The little that Streamlit's theme cannot say: hairlines, rules, and print."""

from __future__ import annotations

STYLE = """<style>
[class*="st-key-line-"] {border-bottom: 1px solid color-mix(in srgb, currentColor 16%, transparent);}
[class*="st-key-rule-"] {border-top: 2px solid currentColor; padding-top: 1rem; margin-top: 1rem;}
[class*="st-key-rule-"] table {display: block; overflow-x: auto}
@media print {
  @page {margin: 12mm}
  .stApp {zoom: .62}
  header, [class*="st-key-filters"], [class*="st-key-tools-"] {display: none !important}
  [class*="st-key-line-"] {break-inside: avoid}
}
</style>"""
