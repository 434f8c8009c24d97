# One image for all processes; the command decides which one a container is.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONWARNINGS=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# Threads share two of glibc's arenas, and the 19 MB of each password's hash go back at once.
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1048576
WORKDIR /shop
RUN useradd --system --uid 1000 --home-dir /shop shop && mkdir var && chown shop var

# Dependencies change less often than the sources. What comes as source is built with the pinned
# setuptools, which must therefore be there first.
COPY requirements.lock .
RUN awk '/^[^ ]/ { wanted = /^setuptools==/ } wanted' requirements.lock >setuptools.lock \
    && pip install --require-hashes -r setuptools.lock \
    && pip install --require-hashes --use-pep517 --no-build-isolation -r requirements.lock

COPY setup.cfg pyproject.toml config.yaml ./
COPY chassis chassis
COPY gateway gateway
COPY notifications notifications
COPY orders orders
COPY payments payments
COPY products products
COPY shop shop
COPY users users
RUN pip install --no-deps --no-build-isolation --editable .

USER shop
EXPOSE 8000
CMD ["nameko", "run", "gateway.service", "--config", "config.yaml"]
