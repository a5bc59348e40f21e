/** Reading aloud, where the device has a voice for the language; many have none for Kazakh, then nothing is offered. */

import type { Language } from "./protocol";

export function voiceFor(language: Language): SpeechSynthesisVoice | null {
  const voices = globalThis.speechSynthesis?.getVoices() ?? [];
  return voices.find((voice) => voice.lang.toLowerCase().startsWith(language)) ?? null;
}

export function whenVoicesCome(tell: () => void): () => void {
  const speech = globalThis.speechSynthesis;
  speech?.addEventListener?.("voiceschanged", tell);
  return () => speech?.removeEventListener?.("voiceschanged", tell);
}

export function readAloud(text: string, voice: SpeechSynthesisVoice, ended: () => void): void {
  hush();
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.voice = voice;
  utterance.lang = voice.lang;
  utterance.rate = 0.95;
  utterance.onend = ended;
  utterance.onerror = ended;
  speechSynthesis.speak(utterance);
}

export function hush(): void {
  globalThis.speechSynthesis?.cancel();
}
