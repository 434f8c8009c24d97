"""The description of the API, for machines and for people."""

from chassis.web import Request, Response, route
from gateway.access import ANYONE
from gateway.api_docs import ApiDocs
from gateway.schemas.docs import FilePath, Specification


class DocsRoutes:
    """`/api/openapi.json`, and `/api/docs` with its files, unless `web.docs` is off."""

    api_docs: ApiDocs

    @route("GET", "/api/openapi.json", who=ANYONE, answer=Specification, docs=True, etag=True)
    def get_specification(self, request: Request) -> Response:
        """This description, as OpenAPI 3.1."""
        return self.api_docs.specification()

    @route("GET", "/api/docs", who=ANYONE, media_type="text/html", docs=True, etag=True)
    def get_docs(self, request: Request) -> Response:
        """A web page to read this description and try it out."""
        return self.api_docs.page()

    @route(
        "GET",
        "/api/docs/{file}",
        who=ANYONE,
        path=FilePath,
        media_type="*/*",
        docs=True,
        etag=True,
    )
    def get_docs_file(self, request: Request, file: str) -> Response:
        """A file of the page `/api/docs`."""
        return self.api_docs.file(file)
