"""The script of every page run: who looks, the top bar, then the page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from analytics.session import local_viewer
from pages.components.logo import LOGO
from pages.components.look import STYLE
from pages.components.menu import pages_for

st.set_page_config(page_title="IOP outcomes", page_icon="📈", layout="wide")

# Until there is sign-in, one local viewer has all roles; app.py refuses to listen on anything but loopback.
viewer = local_viewer()
st.session_state["viewer"] = viewer

st.html(STYLE)
st.logo(LOGO, size="large")
menu = pages_for(viewer, Path(__file__).resolve().parents[1])
if not menu:
    st.error("There is no page for your role. Ask the data steward for another one.")
    st.stop()
navigation = st.navigation(menu, position="top")
with st.container(horizontal_alignment="center"), st.container(width=1120):
    navigation.run()
