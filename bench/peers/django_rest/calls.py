"""How one service calls another."""

import requests
from requests.adapters import HTTPAdapter

TIMEOUT = 5

session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=16))
