// A try-on from the command line, by the client beside it; Node 24 runs it as it is:
//   node example.ts http://127.0.0.1:8009 photo.jpg 0.5,0.6 > flux.jpg
import { readFile } from "node:fs/promises";
import { argv, exit, stderr, stdout } from "node:process";
import { ApiError, TryOnApi } from "./tryon.ts";

const [url = "http://127.0.0.1:8009", photo = "photo.jpg", point = "0.5,0.5"] = argv.slice(2);
const [x = 0.5, y = 0.5] = point.split(",").map(Number);
const api = new TryOnApi(url);

try {
  const originalImageBase64 = (await readFile(photo)).toString("base64");
  const { workflowId } = await api.start({ originalImageBase64, maskPoints: [{ x, y, label: 1 }] });
  stderr.write(`try-on ${workflowId}\n`);
  await api.follow(workflowId, (change) => {
    stderr.write(change.status === "RUNNING" ? `${change.progress} % ${change.currentStep}\n` : `${change.status}\n`);
  });
  const end = await api.status(workflowId);
  if (end.status === "FAILED") throw new ApiError(200, end.error.code, end.error.message);
  if (end.status === "COMPLETED") stdout.write(Buffer.from(end.result.fluxResultBase64, "base64"));
} catch (error) {
  stderr.write(error instanceof ApiError ? `${error.code}: ${error.message}\n` : `${error}\n`);
  exit(1);
}
