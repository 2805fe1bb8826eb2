# What it is: README, "In a container". Any tag of the official Python image from 3.11 on will do.
ARG PYTHON=3.13-slim

FROM python:${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
# pip and the build backend stay behind in this stage.
COPY .ci/constraints.txt .ci/
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --constraint .ci/constraints.txt hatchling \
 && python -m venv --without-pip /opt/lago-mock
# The requirements are a layer of their own, used again until pins or bounds change. Wheels only: there is no compiler.
COPY pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
 && /opt/build/bin/pip --python /opt/lago-mock/bin/python install --no-compile --only-binary :all: \
    --constraint .ci/constraints.txt --requirement requirements.txt
COPY README.md LICENSE ./
COPY fixtures fixtures
COPY openapi openapi
COPY lago_mock lago_mock
# Bytecode is made here, and believed without a look at its source: at run time nothing can write it.
# The first start keeps what the documents hold as JSON, and spares all others the parsing.
RUN /opt/build/bin/python -m hatchling build -t wheel -d dist \
 && /opt/build/bin/pip --python /opt/lago-mock/bin/python install --no-compile --no-deps dist/*.whl \
 && /opt/lago-mock/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/lago-mock/lib \
 && /opt/lago-mock/bin/python -P -c "import lago_mock; lago_mock.create_app()"

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="lago-mock" \
      org.opencontainers.image.description="A stand-in for the Lago billing API that remembers, enforces, fails on command and resets" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/lago-mock /opt/lago-mock
# Whatever user it is run as may write here, and needs to write nowhere else.
RUN mkdir -m 1777 /data
ENV PATH=/opt/lago-mock/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LAGO_MOCK_HOST=0.0.0.0 \
    LAGO_MOCK_PORT=3000 \
    LAGO_MOCK_DB=/data/lago-mock.json
WORKDIR /data
VOLUME /data
EXPOSE 3000
USER 10001:10001
STOPSIGNAL SIGTERM
# Patience is in the retries: in a start period Docker asks every five seconds, whatever the interval is.
HEALTHCHECK --interval=2s --timeout=5s --retries=15 CMD ["lago-mock", "health"]
ENTRYPOINT ["lago-mock"]
CMD ["serve"]
