# A city's gateway: `citygraph serve`. It needs DATABASE_URL or a volume at /data, and KEYCLOAK_URL or CITYGRAPH_ISSUER.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY graph graph
COPY resolvers resolvers
COPY subgraphs subgraphs
COPY migrations migrations
COPY demo demo
RUN python -m venv /opt/citygraph && /opt/citygraph/bin/pip install --no-cache-dir .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home citygraph && install -d -o citygraph -g citygraph /data
COPY --from=build /opt/citygraph /opt/citygraph
ENV PATH=/opt/citygraph/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/api/v1/health', timeout=4)"]
ENTRYPOINT ["citygraph"]
CMD ["serve"]
