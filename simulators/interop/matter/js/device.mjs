// Matter nodes by matter.js, each with the attributes it is told. It reads
// commands as lines of JSON and answers each with one:
//
//	{"do":"start","nodes":[{"id","port","passcode","discriminator","vendor","product","firmware","label",
//	    "attributes":{"53":{"0":15,…}},"interface":{"name","address"},"ext_pan_id",
//	    "icd":{"lit","persist","state":{…}}}]}   an intermittently connected device with a button
//	                     → {"nodes":[{"id","manual","qr"}]}
//	{"do":"set","id","attributes":{"53":{…}}} → {}  changes attributes
//	{"do":"stop","id"}   → {}      ends one node in good order
//	{"do":"press","id"}  → {}      its button
//	{"do":"doze","id"}   → {}      it goes idle
//	{"do":"wake","id"}   → {}      its user wakes it: a long idle time device checks in
//	{"do":"forget","id"} → {}      it ends its subscriptions without a word
//	{"do":"left","id"}   → {"subscriptions":n,"stored":n,"clients":n}  what others have on it
//	{"do":"fabrics"}     → {"nodes":{"id":[{…}]}}
//	{"do":"usage"}       → {"cpu_us","rss"}
import { Bytes, Endpoint, Environment, ServerNode, SubscriptionsServer, VendorId } from "@matter/main";
import { SessionManager } from "@matter/main/protocol";
import { IcdManagementServer } from "@matter/main/behaviors/icd-management";
import { SwitchServer } from "@matter/main/behaviors/switch";
import { NetworkCommissioningServer } from "@matter/main/behaviors/network-commissioning";
import { ThreadNetworkDiagnosticsServer } from "@matter/main/behaviors/thread-network-diagnostics";
import { ThreadNetworkDiagnostics } from "@matter/main/clusters/thread-network-diagnostics";
import { GenericSwitchDevice } from "@matter/main/devices/generic-switch";
import { OnOffPlugInUnitDevice } from "@matter/main/devices/on-off-plug-in-unit";
import { fromJSON, serve, usage } from "./jsonvalue.mjs";

Environment.default.vars.set("storage.path", process.env.THREADMAP_STORAGE);

// Switches subscriptions' memory on, which matter.js has off for these devices.
const persistent = base => class extends base {
    initialize() {
        super.initialize();
        this.agent.get(SubscriptionsServer).state.persistenceEnabled = true;
    }
};

const threadInterface = 4;
const running = new Map();

function attributes(schema, values) {
    const state = {};
    for (const [id, value] of Object.entries(values)) {
        const a = schema.attributes.find(a => a.id === Number(id));
        if (a === undefined) throw new Error(`${schema.name} has no attribute ${id}`);
        state[a.propertyName] = fromJSON(a, value);
    }
    return state;
}

async function start(n) {
    const features = ["ErrorCounts", "MacCounts", "MleCounts", "PacketCounts"];
    const behaviors = [
        NetworkCommissioningServer.with("ThreadNetworkInterface"),
        ThreadNetworkDiagnosticsServer.with(...features),
    ];
    const config = {
        id: n.id,
        network: { port: n.port, ipv4: false },
        commissioning: { passcode: n.passcode, discriminator: n.discriminator },
        productDescription: { name: n.label, deviceType: 0x010a },
        basicInformation: {
            vendorId: VendorId(0xfff1), vendorName: n.vendor, productId: 0x8000, productName: n.product, nodeLabel: n.label,
            hardwareVersion: 1, softwareVersion: 1, softwareVersionString: n.firmware, serialNumber: n.id, uniqueId: `unique-${n.id}`,
        },
        networkCommissioning: {
            maxNetworks: 1, networks: [{ networkId: Bytes.fromHex(n.ext_pan_id), connected: true }], interfaceEnabled: true,
            lastConnectErrorValue: null, lastNetworkId: null, lastNetworkingStatus: null, scanMaxTimeSeconds: 3, connectMaxTimeSeconds: 3,
            supportedThreadFeatures: {}, threadVersion: 4,
        },
        threadNetworkDiagnostics: attributes(ThreadNetworkDiagnostics.schema, n.attributes["53"]),
    };
    if (n.icd) {
        const kind = n.icd.lit ? IcdManagementServer.with("CheckInProtocolSupport", "LongIdleTimeSupport", "UserActiveModeTrigger") : IcdManagementServer;
        behaviors.push(n.icd.persist ? persistent(kind) : kind);
        config.icdManagement = n.icd.state;
    }
    const node = await ServerNode.create(ServerNode.RootEndpoint.with(...behaviors), config);
    if (n.icd) {
        const button = GenericSwitchDevice.with(SwitchServer.with("MomentarySwitch", "MomentarySwitchRelease"));
        await node.add(new Endpoint(button, { id: "button", switch: { numberOfPositions: 2, currentPosition: 0 } }));
    } else {
        await node.add(new Endpoint(OnOffPlugInUnitDevice, { id: "plug" }));
    }
    // matter.js puts the system's interfaces there when the node comes online.
    const own = [{
        name: n.interface.name, isOperational: true, offPremiseServicesReachableIPv4: null, offPremiseServicesReachableIPv6: null,
        hardwareAddress: Bytes.fromHex(n.interface.address), iPv4Addresses: [], iPv6Addresses: [], type: threadInterface,
    }];
    const listed = new Promise(resolve => node.events.generalDiagnostics.networkInterfaces$Changed.once(resolve));
    await node.start();
    await listed;
    // What writes subscriptions down is otherwise there only when the node
    // starts next time, already commissioned.
    await node.act(agent => agent.load(SubscriptionsServer));
    await node.set({ generalDiagnostics: { networkInterfaces: own } });
    running.set(n.id, node);
    const { manualPairingCode, qrPairingCode } = node.state.commissioning.pairingCodes;
    return { id: n.id, manual: manualPairingCode, qr: qrPairingCode };
}

await serve(async command => {
    switch (command.do) {
        case "start": {
            const nodes = [];
            for (const n of command.nodes) nodes.push(await start(n));
            return { nodes };
        }
        case "set":
            await running.get(command.id).set({ threadNetworkDiagnostics: attributes(ThreadNetworkDiagnostics.schema, command.attributes["53"]) });
            return {};
        case "stop":
            await running.get(command.id).close();
            running.delete(command.id);
            return {};
        case "press": {
            const button = [...running.get(command.id).parts].find(p => p.id === "button");
            await button.set({ switch: { currentPosition: 1 } });
            await new Promise(resolve => setTimeout(resolve, 100));
            await button.set({ switch: { currentPosition: 0 } });
            return {};
        }
        case "doze":
            await running.get(command.id).act(agent => agent.get(IcdManagementServer).enterIdleMode());
            return {};
        case "wake":
            await running.get(command.id).act(agent => agent.get(IcdManagementServer).triggerUserActiveMode());
            return {};
        case "forget":
            for (const session of running.get(command.id).env.get(SessionManager).sessions) await session.closeSubscriptions();
            return {};
        case "left": {
            const node = running.get(command.id);
            const sessions = Object.values(node.state.sessions.sessions);
            return {
                subscriptions: sessions.reduce((n, s) => n + s.numberOfActiveSubscriptions, 0),
                stored: node.stateOf(SubscriptionsServer).subscriptions.length,
                clients: node.stateOf(IcdManagementServer).registeredClients.length,
            };
        }
        case "fabrics": {
            const nodes = {};
            for (const [id, node] of running) {
                nodes[id] = Object.values(node.state.commissioning.fabrics).map(f => ({
                    index: f.fabricIndex, fabric_id: f.fabricId.toString(), node_id: f.nodeId.toString(), root_vendor: f.rootVendorId, label: f.label,
                }));
            }
            return { nodes };
        }
        case "usage":
            return usage();
    }
    throw new Error(`${command.do}: not known`);
});
