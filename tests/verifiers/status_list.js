// Reads from standard input an access token, a list and indices, and prints what the library says of them.

import { readFileSync } from "node:fs";
import { getListFromStatusListJWT, getStatusListFromJWT } from "@sd-jwt/jwt-status-list";

const { raw_access, raw_list, indices } = JSON.parse(readFileSync(0, "utf8"));
const reference = getStatusListFromJWT(raw_access);
const list = getListFromStatusListJWT(raw_list);
const statuses = indices.map((idx) => list.getStatus(idx));
console.log(JSON.stringify({ reference, status: list.getStatus(reference.idx), statuses }));
