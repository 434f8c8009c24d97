# One image for all processes; the command decides which one a container is. The file system may be
# read-only: only /tmp is written to, and /shop/var where mails are files.

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /shop
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
# Dependencies change less often than the sources. What comes as source is built with the pinned
# setuptools, which must therefore be there first.
COPY requirements.lock .
RUN awk '/^[^ ]/ { wanted = /^setuptools==/ } wanted' requirements.lock >setuptools.lock \
    && pip install --no-deps --require-hashes -r setuptools.lock \
    && pip install --no-deps --require-hashes --use-pep517 --no-build-isolation -r requirements.lock \
    && rm setuptools.lock
COPY . .
# Nothing can be compiled at the start where nothing can be written.
RUN pip install --no-deps --no-build-isolation --editable . \
    && pip uninstall --yes pip && python -m compileall -q . && mkdir var


# For `shop backup`: pg_dump and pg_restore of the server's version, with all that they load, as the
# two images need not be of the same distribution. 15 MB.
FROM postgres:17.6-bookworm AS postgresql
WORKDIR /postgresql/lib
RUN mkdir ../bin && cp /usr/lib/postgresql/17/bin/pg_dump /usr/lib/postgresql/17/bin/pg_restore . \
    && ldd pg_dump pg_restore | grep -o '/[^ :]*' | sort -u | xargs cp -L -t . \
    && for tool in pg_dump pg_restore; do \
        printf '#!/bin/sh\nlib=/opt/postgresql/lib\nexec $lib/ld-linux* --library-path $lib $lib/%s "$@"\n' \
            $tool >../bin/$tool; \
    done && chmod -R a+rX .. && chmod a+x ../bin/*


FROM python:3.11.14-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
# Threads share two of glibc's arenas, and the 19 MB of each password's hash go back at once.
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1048576
ENV PG_BIN=/opt/postgresql/bin
RUN groupadd --system --gid 10001 shop \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /tmp shop
COPY --from=postgresql /postgresql /opt/postgresql
COPY --from=build /venv /venv
COPY --from=build /shop /shop
COPY --from=build --chown=10001:10001 /shop/var /shop/var
COPY --from=build --chown=10001:10001 /shop/var /backups
WORKDIR /shop
USER 10001
EXPOSE 8000 9100
CMD ["nameko", "run", "gateway.service", "--config", "config.yaml"]
