// Pages that are opened as files may start no Worker, and the search is one. Here it runs in a hidden
// frame instead, which has a global scope of its own. Nothing changes where pages are served.
if (location.protocol === "file:") {
  const later = (hear, data) => {
    const copy = structuredClone(data); // as it is now, as of a real Worker
    setTimeout(() => hear({ data: copy }));
  };
  window.Worker = class {
    constructor(url) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.ready = new Promise((ready) => {
        this.frame.onload = () => {
          const inside = this.frame.contentWindow;
          inside.postMessage = (data) => later((copy) => this.onmessage?.(copy), data); // the script speaks
          const script = inside.document.createElement("script");
          script.src = url;
          script.onload = () => ready(inside);
          script.onerror = () => this.onerror?.(new Event("error", { cancelable: true }));
          inside.document.body.append(script);
        };
      });
      document.documentElement.append(this.frame);
    }
    postMessage(data) {
      later((copy) => this.ready.then((inside) => inside.onmessage(copy)), data);
    }
    terminate() {
      this.frame.remove();
    }
  };
}
