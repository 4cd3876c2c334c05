// A Matter controller by matter.js. It reads commands as lines of JSON and
// answers each with one:
//
//	{"do":"commission","discriminator","passcode"} → {"node","ms"}
//	{"do":"read","nodes":[…],"cluster":53,"parallel":4,"network":"unlimited","values":true,
//	    "paths":[{"endpointId","clusterId","attributeId"}]}   of these the values of the cluster
//	                              → {"ms","values":{"<node>":{"<attribute>":…}}}
//	{"do":"subscribe","node","cluster":53} → {"first":{"<attribute>":…}}
//	{"do":"next","node"}          → {"values":{…}}   the next report with something in it
//	{"do":"forget_sessions"}      → {}    the next read begins with a resumption
//	{"do":"usage"}                → {"cpu_us","rss"}
import { ControllerBehavior, Environment, Seconds, ServerNode } from "@matter/main";
import { ThreadNetworkDiagnostics } from "@matter/main/clusters/thread-network-diagnostics";
import { PeerSet, Read, SessionManager } from "@matter/main/protocol";
import { ClusterId, EndpointNumber } from "@matter/main/types";
import { serve, toJSON, usage } from "./jsonvalue.mjs";

Environment.default.vars.set("storage.path", process.env.THREADMAP_STORAGE);

const controller = await ServerNode.create(ServerNode.RootEndpoint.with(ControllerBehavior), {
    id: "controller",
    commissioning: { enabled: false },
    controller: { adminFabricLabel: "matter.js", nodeIdAssignment: "sequential", nextNodeId: 1n },
    network: { ipv4: false },
});
await controller.start();

const peers = new Map();

async function commission({ discriminator, passcode }) {
    const began = performance.now();
    const peer = await controller.peers.commission({
        longDiscriminator: discriminator, passcode, timeout: Seconds(60), autoSubscribe: false, autoStateInitialize: false,
    });
    const node = peer.state.commissioning.peerAddress.nodeId.toString();
    peers.set(node, peer);
    return { node, ms: performance.now() - began };
}

const schemas = { 53: ThreadNetworkDiagnostics.schema };

function request(command) {
    const attributes = command.paths ?? [{ endpointId: EndpointNumber(0), clusterId: ClusterId(command.cluster) }];
    const what = { attributes, fabricFilter: false };
    return { ...Read(what), includeKnownVersions: true, ...(command.network && { network: command.network }) };
}

async function collect(reports, command) {
    const values = {};
    for await (const chunk of reports) {
        for await (const report of chunk) {
            if (report.kind !== "attr-value" || report.path.clusterId !== command.cluster) continue;
            const model = schemas[command.cluster]?.attributes.find(a => a.id === report.path.attributeId);
            values[report.path.attributeId] = command.values ? toJSON(model, report.value) : true;
        }
    }
    return values;
}

async function read(command) {
    const values = {};
    const left = [...command.nodes];
    const began = performance.now();
    await Promise.all(Array.from({ length: command.parallel }, async () => {
        for (let node; (node = left.shift()) !== undefined; ) {
            values[node] = await collect(peers.get(node).interaction.read(request(command)), command);
        }
    }));
    return { ms: performance.now() - began, values };
}

const subscriptions = new Map(); // by node: { reports, waiting }

async function subscribe(command) {
    const told = { reports: [], waiting: undefined };
    subscriptions.set(command.node, told);
    await peers.get(command.node).interaction.subscribe({
        ...request(command), keepSubscriptions: true, minIntervalFloor: Seconds(0), maxIntervalCeiling: Seconds(60), sustain: false,
        updated: async reports => {
            told.reports.push(await collect(reports, { ...command, values: true }));
            told.waiting?.();
        },
    });
    return { first: (await next(command)).values };
}

async function next({ node }) {
    const told = subscriptions.get(node);
    while (told.reports.length === 0) await new Promise(resolve => (told.waiting = resolve));
    return { values: told.reports.shift() };
}

await serve(async command => {
    switch (command.do) {
        case "commission":
            return await commission(command);
        case "read":
            return await read(command);
        case "subscribe":
            return await subscribe(command);
        case "next":
            return await next(command);
        case "forget_sessions":
            for (const session of [...controller.env.get(SessionManager).sessions]) await session.initiateClose();
            return {};
        case "usage":
            return usage();
    }
    throw new Error(`${command.do}: not known`);
});
