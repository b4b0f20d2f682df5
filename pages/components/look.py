"""The little that Streamlit's theme cannot say: hairlines, rules, print, and the logo (look.md 11)."""

from __future__ import annotations

from analytics.reports.palette import both

STYLE = """<style>
[class*="st-key-line-"] {border-bottom: 1px solid color-mix(in srgb, currentColor 16%, transparent);}
[class*="st-key-rule-"] {border-top: 2px solid currentColor; padding-top: 1rem; margin-top: 1rem;}
@media print {
  @page {margin: 12mm}
  .stApp {zoom: .62}
  header, [class*="st-key-filters"], [class*="st-key-tools-"] {display: none !important}
  [class*="st-key-line-"] {break-inside: avoid}
}
</style>"""

# A dot with its interval. Outlines only: an SVG image cannot use the page's fonts.
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="32" viewBox="0 0 64 32" '
    'style="color-scheme: light dark">'
    f'<g stroke="{both("better")}" stroke-width="3" fill="none">'
    '<path d="M4 16H60M4 9V23M60 9V23"/></g>'
    f'<circle cx="32" cy="16" r="8" fill="{both("better")}"/></svg>'
)
