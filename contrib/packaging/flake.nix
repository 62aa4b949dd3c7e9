# Nix, of the tree that this lies in:   nix build "git+file:$PWD?dir=contrib/packaging"
{
  description = "Folders that make videos, pictures and sound";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      package = pkgs: pkgs.stdenv.mkDerivation {
        pname = "kinofs";
        version = "1.0";
        src = ../..;
        nativeBuildInputs = [ pkgs.pkg-config ];
        buildInputs = with pkgs; [ fuse3 curl cjson sqlite openssl file libmicrohttpd ];
        makeFlags = [ "PREFIX=$(out)" ];
        enableParallelBuilding = true;
        meta = {
          description = "Folders that make videos, pictures and sound";
          license = nixpkgs.lib.licenses.mit;
          platforms = nixpkgs.lib.platforms.linux;
          mainProgram = "kinofs";
        };
      };
    in
    {
      packages = nixpkgs.lib.genAttrs systems (system: {
        default = package nixpkgs.legacyPackages.${system};
      });
    };
}
