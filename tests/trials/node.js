"use strict";

// Opens pages under node. Standard input has {site, calls, atOnce, pages: [{access, refresh, longest}]};
// standard output gets what each page met, in the same order.
require("./page.js");

function memory(pair) {
    return { read: () => pair, write: (next) => (pair = next) };
}

async function main() {
    let text = "";
    for await (const part of process.stdin) text += part;
    const { site, calls, atOnce, pages } = JSON.parse(text);
    const results = [];
    const queue = pages.entries();

    async function openOneAfterTheOther() {
        for (const [number, { access, refresh, longest }] of queue) {
            const store = memory({ access, refresh });
            const opened = await openPage({ site, calls, longest }, store);
            results[number] = { ...opened, end: await closePage({ site }, store) };
        }
    }

    await Promise.all(Array.from({ length: atOnce }, openOneAfterTheOther));
    process.stdout.write(JSON.stringify(results));
}

main();
