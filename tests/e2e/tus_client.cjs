// Uploads a file with tus-js-client, as a program of its own. Arguments: one JSON object with endpoint or uploadUrl,
// file, token, metadata, chunkSize, stopAfter (chunks, then it goes away). Prints one JSON object when it ends.
"use strict";

const fs = require("node:fs");
const tus = require("tus-js-client");

const asked = JSON.parse(process.argv[2]);
let chunks = 0;
let last = null;

const upload = new tus.Upload(fs.createReadStream(asked.file), {
  endpoint: asked.endpoint,
  uploadUrl: asked.uploadUrl,
  uploadSize: fs.statSync(asked.file).size,
  chunkSize: asked.chunkSize,
  metadata: asked.metadata,
  headers: { Authorization: `Bearer ${asked.token}` },
  retryDelays: null,
  storeFingerprintForResuming: false,
  onAfterResponse: (_request, response) => {
    last = response;
  },
  onChunkComplete: () => {
    chunks += 1;
    if (chunks === asked.stopAfter) {
      upload.abort();
      end({ ended: "stopped" });
    }
  },
  onSuccess: () => end({ ended: "done", document: last.getHeader("Muniment-Document") }),
  onError: (error) => end({ ended: "failed", status: error.originalResponse ? error.originalResponse.getStatus() : 0 }),
});

function end(how) {
  process.stdout.write(JSON.stringify({ ...how, url: upload.url, chunks }), () => process.exit(0));
}

upload.start();
