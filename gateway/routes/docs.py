"""The description of the API, for machines and for people."""

from chassis.web import route
from gateway.access import ANYONE
from gateway.schemas.docs import FilePath, Specification


class DocsRoutes:
    """`/api/openapi.json`, and `/api/docs` with its files, unless `web.docs` is off."""

    @route("GET", "/api/openapi.json", who=ANYONE, answer=Specification, docs=True, etag=True)
    def get_specification(self, request):
        """This description, as OpenAPI 3.1."""
        return self.manual.specification()

    @route("GET", "/api/docs", who=ANYONE, media_type="text/html", docs=True, etag=True)
    def get_docs(self, request):
        """A web page to read this description and try it out."""
        return self.manual.page()

    @route(
        "GET",
        "/api/docs/{file}",
        who=ANYONE,
        path=FilePath,
        media_type="*/*",
        docs=True,
        etag=True,
    )
    def get_docs_file(self, request, file):
        """A file of the page `/api/docs`."""
        return self.manual.file(file)
