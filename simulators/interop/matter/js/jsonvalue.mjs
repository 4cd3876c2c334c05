// Values of Matter attributes as JSON, by field ids instead of names: a struct
// is {"0":…,"1":…}, an octet string is hexadecimal, an integer that a double
// can't hold is a string of decimal digits. What the ids are called is taken
// from matter.js's own model.
import { createInterface } from "node:readline";
import { inspect } from "node:util";
import { Bytes, Logger } from "@matter/main";

Logger.destinations.default.write = text => process.stderr.write(text + "\n");

/** The value that matter.js keeps for the JSON value v of an attribute or field. */
export function fromJSON(model, v) {
    if (v === null || v === undefined) return v;
    switch (model.effectiveMetatype) {
        case "integer":
            return typeof v === "string" ? BigInt(v) : v;
        case "bytes":
            return Bytes.fromHex(v);
        case "array":
            return v.map(e => fromJSON(model.listEntry, e));
        case "object":
            return Object.fromEntries(Object.entries(v).map(([id, e]) => {
                const m = model.members.find(m => m.id === Number(id));
                if (m === undefined) throw new Error(`${model.name} has no field ${id}`);
                return [m.propertyName, fromJSON(m, e)];
            }));
    }
    return v;
}

/** The JSON value of what matter.js decoded. */
export function toJSON(model, v) {
    if (v === null || v === undefined) return null;
    if (typeof v === "bigint") return v <= Number.MAX_SAFE_INTEGER ? Number(v) : v.toString();
    if (ArrayBuffer.isView(v) || v instanceof ArrayBuffer) return Bytes.toHex(v);
    if (Array.isArray(v)) return v.map(e => toJSON(model?.listEntry, e));
    if (typeof v === "object") {
        if (model?.effectiveMetatype === "bitmap") return v;
        return Object.fromEntries(Object.entries(v).filter(([, e]) => e !== undefined).map(([name, e]) => {
            const m = [...(model?.members ?? [])].find(m => m.propertyName === name);
            return [m?.id ?? name, toJSON(m, e)];
        }));
    }
    return v;
}

/** Lines of JSON from stdin, answered one by one on stdout; the end of stdin ends the process. */
export async function serve(handle) {
    for await (const line of createInterface({ input: process.stdin })) {
        let answer;
        try {
            answer = (await handle(JSON.parse(line))) ?? {};
        } catch (e) {
            answer = { error: inspect(e, { depth: 5, breakLength: Infinity }) };
        }
        process.stdout.write(JSON.stringify(answer) + "\n");
    }
    process.exit(0);
}

/** CPU time of this process so far, in microseconds, and its memory in octets. */
export function usage() {
    const { user, system } = process.cpuUsage();
    return { cpu_us: user + system, rss: process.memoryUsage.rss() };
}
