"use strict";

// A page as people write it, for node and for browsers. It makes several calls at once. Each call that
// is answered with 401 reads the refresh token from the store at that moment, refreshes, stores the
// answer, and calls again. Nothing keeps one call from disturbing another.
//
// `longest` is the longest pause in milliseconds before each step, so that late 401s read a newer
// token, queued refreshes send an older one, and answers are stored in any order.
globalThis.openPage = async ({ site, calls, longest }, store = localStorageOfTheTab) => {
    const met = { calls: [], refreshes: [], callsAgain: [], sent: [], errors: [] };
    const pause = () => new Promise((done) => setTimeout(done, Math.random() * longest));

    async function call() {
        const headers = { Accept: "application/json", Authorization: `Bearer ${store.read().access}` };
        const answer = await fetch(`${site}/api/me/`, { headers });
        await answer.arrayBuffer();
        return answer.status;
    }

    async function refresh(raw) {
        met.sent.push(raw);
        const headers = { Accept: "application/json", "Content-Type": "application/json" };
        const body = JSON.stringify({ refresh: raw });
        const answer = await fetch(`${site}/api/token/refresh/`, { method: "POST", headers, body });
        return { status: answer.status, pair: await answer.json() };
    }

    async function callAsAClientDoes() {
        await pause();
        const status = await call();
        met.calls.push(status);
        if (status !== 401) return;
        await pause();
        const { refresh: raw } = store.read();
        await pause();
        const answer = await refresh(raw);
        met.refreshes.push(answer.status);
        if (answer.status !== 200) return;
        await pause();
        store.write({ access: answer.pair.access, refresh: answer.pair.refresh });
        met.callsAgain.push(await call());
    }

    const note = (error) => met.errors.push(`${error} ${error.cause ?? ""}`);
    await Promise.all(Array.from({ length: calls }, () => callAsAClientDoes().catch(note)));
    return met;
};

// What the page keeps at the end must be good.
globalThis.closePage = async ({ site }, store = localStorageOfTheTab) => {
    const { access, refresh } = store.read();
    const headers = { Accept: "application/json", "Content-Type": "application/json" };
    const call = await fetch(`${site}/api/me/`, {
        headers: { ...headers, Authorization: `Bearer ${access}` },
    });
    const refreshed = await fetch(`${site}/api/token/refresh/`, {
        method: "POST",
        headers,
        body: JSON.stringify({ refresh }),
    });
    return { call: call.status, refresh: refreshed.status, kept: refresh };
};

globalThis.localStorageOfTheTab = {
    read: () => JSON.parse(localStorage.getItem("pair")),
    write: (pair) => localStorage.setItem("pair", JSON.stringify(pair)),
};
