// Decodes by matter.js, to be timed: lines of JSON in and out.
//
//	{"do":"reports","payloads":["…"],"rounds"}  → {"ns"}   each ReportData as its codec decodes it
//	{"do":"neighbors","element":"…","rounds"}   → {"ns","rows"} a NeighborTable to objects
//	{"do":"usage"}                              → {"cpu_us","rss"}
import { Bytes } from "@matter/main";
import { ThreadNetworkDiagnostics } from "@matter/main/clusters/thread-network-diagnostics";
import { TlvDataReport, TlvOfModel } from "@matter/main/types";
import { serve, usage } from "./jsonvalue.mjs";

const neighbors = TlvOfModel(ThreadNetworkDiagnostics.schema.attributes.find(a => a.id === 7));

function timed(rounds, f) {
    const began = process.hrtime.bigint();
    for (let i = 0; i < rounds; i++) f();
    return Number(process.hrtime.bigint() - began);
}

await serve(command => {
    switch (command.do) {
        case "reports": {
            const payloads = command.payloads.map(p => Bytes.fromHex(p));
            return { ns: timed(command.rounds, () => payloads.forEach(p => TlvDataReport.decode(p))) };
        }
        case "neighbors": {
            const element = Bytes.fromHex(command.element);
            return { rows: neighbors.decode(element).length, ns: timed(command.rounds, () => neighbors.decode(element)) };
        }
        case "usage":
            return usage();
    }
    throw new Error(`${command.do}: not known`);
});
