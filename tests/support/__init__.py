"""What tests share: the real stack, sittings ready to be sat, a pupil that speaks the protocol."""
